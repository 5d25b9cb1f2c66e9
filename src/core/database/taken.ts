import { AppError } from '../errors.ts';
import { sqlState } from './transact.ts';

/** Whether another row has this already, which a unique constraint lets only one have. */
export function isTaken(error: unknown): boolean {
  return sqlState(error) === '23505';
}

/** Turns that error into a `conflict` that names the field; throws any other as it is. */
export function refuseTaken(field: string, owner: string): (error: unknown) => never {
  return (error) => {
    if (!isTaken(error)) throw error;
    const details = [{ field, message: `belongs to another ${owner}` }];
    throw new AppError('conflict', `Another ${owner} has this ${field}.`, { details, cause: error });
  };
}
