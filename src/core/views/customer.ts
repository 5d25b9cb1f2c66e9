import { z } from 'zod';

export interface CustomerRow {
  id: string;
  business_id: string;
  name: string | null;
  email: string | null;
  phone: string | null;
  external_id: string | null;
  custom_attributes: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
}

export const customerView = z
  .object({
    id: z.string(),
    business_id: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    external_id: z.string().nullable(),
    custom_attributes: z.record(z.string(), z.unknown()),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Customer' });

export type CustomerView = z.infer<typeof customerView>;

/** The customer as the API and events show it. */
export function viewCustomer(row: CustomerRow): CustomerView {
  return {
    id: row.id,
    business_id: row.business_id,
    name: row.name,
    email: row.email,
    phone: row.phone,
    external_id: row.external_id,
    custom_attributes: row.custom_attributes,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
