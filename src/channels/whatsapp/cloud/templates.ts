import { z } from 'zod';
import type { Channel } from '../../../core/adapter.ts';
import { SendRejected } from '../../../core/errors.ts';
import { gapsIn, type Template } from '../../../core/template.ts';
import { findBusinessAccount } from './account.ts';
import type { Graph } from './graph.ts';
import type { CloudSettings } from './settings.ts';

const text = z.string().catch('');

const button = z.object({ type: text, text, url: z.string().optional().catch(undefined) });

const component = z.object({
  type: text,
  format: z.string().optional().catch(undefined),
  text,
  buttons: z.array(button).catch([]),
});

const listed = z.object({
  id: z.string(),
  name: z.string(),
  language: z.string(),
  status: text,
  category: z.string().nullable().catch(null),
  parameter_format: text,
  components: z.array(component).catch([]),
});

const page = z.object({
  data: z.array(z.unknown()),
  paging: z
    .object({ cursors: z.object({ after: z.string().optional() }).optional(), next: z.string().optional() })
    .optional()
    .catch(undefined),
});

const FIELDS = 'id,name,language,status,category,parameter_format,components';
const PER_PAGE = 250;
const MOST_PAGES = 40;

/** All templates of the account that the number belongs to. */
export async function listTemplates(graph: Graph, { settings }: Channel<CloudSettings>): Promise<Template[]> {
  const account = await findBusinessAccount(graph, settings);
  if (account === undefined)
    throw new SendRejected(
      'Meta does not say which account the number belongs to: give its business_account_id.',
    );
  const templates: Template[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query = { fields: FIELDS, limit: String(PER_PAGE), ...(after === undefined ? {} : { after }) };
    const { data, paging } = page.parse(
      await graph(settings, { path: `${account}/message_templates`, query }),
    );
    templates.push(...data.flatMap(readTemplate));
    after = paging?.next === undefined ? undefined : paging.cursors?.after;
    if (after === undefined) break;
  }
  return templates;
}

const STATUSES: Record<string, Template['status']> = {
  APPROVED: 'approved',
  PENDING: 'pending',
  IN_APPEAL: 'pending',
  PENDING_DELETION: 'disabled',
  REJECTED: 'rejected',
  PAUSED: 'paused',
  LIMIT_EXCEEDED: 'paused',
  DISABLED: 'disabled',
  DELETED: 'disabled',
  ARCHIVED: 'disabled',
};

function readTemplate(item: unknown): Template[] {
  const { success, data } = listed.safeParse(item);
  if (!success) return [];
  const { id, name, language, status, category, parameter_format, components } = data;
  const of = (type: string) => components.find((one) => one.type.toUpperCase() === type);
  const body = of('BODY')?.text ?? '';
  return [
    {
      id,
      name,
      language,
      status: STATUSES[status.toUpperCase()] ?? 'pending',
      category: category?.toLowerCase() ?? null,
      named: parameter_format.toUpperCase() === 'NAMED',
      header: headerOf(of('HEADER')),
      body: { text: body, parameters: gapsIn(body) },
      footer: of('FOOTER')?.text || null,
      buttons: (of('BUTTONS')?.buttons ?? []).map(buttonOf),
    },
  ];
}

const HEADERS = ['text', 'image', 'video', 'document', 'location'] as const;

function headerOf(header: z.infer<typeof component> | undefined): Template['header'] {
  const type = HEADERS.find((one) => one === (header?.format ?? 'text').toLowerCase());
  if (header === undefined || type === undefined) return null;
  return { type, text: header.text, parameters: gapsIn(header.text) };
}

const BUTTONS: Record<string, string> = { OTP: 'url', COPY_CODE: 'copy_code' };

function buttonOf({ type, text: label, url }: z.infer<typeof button>): Template['buttons'][number] {
  const kind = BUTTONS[type.toUpperCase()] ?? type.toLowerCase();
  const own = kind === 'copy_code' || type.toUpperCase() === 'OTP' ? ['code'] : [];
  return {
    type: kind,
    label,
    ...(url === undefined ? {} : { url }),
    parameters: url === undefined ? own : gapsIn(url),
  };
}
