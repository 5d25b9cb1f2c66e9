import type { Context } from 'hono';
import { z } from 'zod';
import type { Upload } from '../core/attachments/uploads.ts';
import type { Attachments } from '../core/attachments.ts';
import { invalidField } from '../core/errors.ts';
import type { ApiEnv } from './deps.ts';

/** The body of an upload: one file, as a form sends it. */
export const uploadBody = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: z.object({ file: z.unknown().meta({ type: 'string', format: 'binary' }) }),
    },
  },
};

/** What an upload answers. */
export const uploaded = z.object({
  id: z.string(),
  url: z.string(),
  name: z.string(),
  type: z.string(),
  size: z.number().int(),
});

/** Keeps the file of the request until a message takes it. */
export async function keepUpload(
  c: Context<ApiEnv>,
  attachments: Pick<Attachments, 'upload'>,
  owner: Pick<Upload, 'businessId' | 'conversationId' | 'uploadedBy' | 'transact'>,
): Promise<z.infer<typeof uploaded>> {
  const { file } = await c.req.parseBody({ all: true });
  if (Array.isArray(file)) throw invalidField('file', 'is one file: send each in a request of its own');
  if (!(file instanceof File)) throw invalidField('file', 'is required, as a part of a multipart form');
  const { id, url, name, type, size } = await attachments.upload({
    ...owner,
    name: file.name,
    contentType: file.type,
    body: file.stream(),
  });
  return { id, url: url ?? '', name, type, size: size ?? 0 };
}
