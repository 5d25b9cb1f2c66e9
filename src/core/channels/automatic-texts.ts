import type { Sql } from '../database/connect.ts';
import { invalidField } from '../errors.ts';
import { checkPlaceholders } from '../placeholders.ts';

interface AutomaticTexts {
  greeting?: string | null | undefined;
  out_of_hours?: string | null | undefined;
}

/** Refuses texts that would not be filled in as their writer thinks. */
export function checkAutomaticTexts({ greeting, out_of_hours }: AutomaticTexts): void {
  checkPlaceholders(greeting ?? '', 'greeting');
  checkPlaceholders(out_of_hours ?? '', 'out_of_hours');
}

/** Refuses a text for closed hours where nobody has said when they are. */
export async function refuseWithoutHours(tx: Sql, channelId: string): Promise<void> {
  const silent = await tx`
    select ch.id from channels ch
    left join teams t on t.id::text = ch.assignment ->> 'team_id' and t.deleted_at is null
    where ch.id = ${channelId} and ch.out_of_hours is not null
      and coalesce(ch.assignment -> 'working_hours', t.assignment -> 'working_hours') is null`;
  if (silent.length > 0)
    throw invalidField('out_of_hours', "needs working_hours, in the channel's assignment or its team's");
}
