import type { Twilio } from 'twilio';
import { type FilledTemplate, gapsIn, type Template } from '../../../core/template.ts';
import { OWN_CONTENT } from './content.ts';
import type { Payload } from './send.ts';

/** A template of the Content API with what fills it. */
export function templatePayload({ id, header, body }: FilledTemplate): Omit<Payload, 'from'> {
  const values = [...body, ...(header?.type === 'text' ? header.values : [])];
  const filled = Object.fromEntries(values.map(({ name, text }) => [name, text]));
  return { text: '', contentSid: id, ...(values.length === 0 ? {} : { contentVariables: filled }) };
}

type Content = Awaited<ReturnType<Twilio['content']['v1']['contentAndApprovals']['list']>>[number];

const MOST_TEMPLATES = 2_000;

/** The account's templates, but for those that we make for cards. */
export async function listTemplates(
  twilio: Twilio,
  { needsApproval }: { needsApproval: boolean },
): Promise<Template[]> {
  const contents = await twilio.content.v1.contentAndApprovals.list({ limit: MOST_TEMPLATES, pageSize: 500 });
  return contents
    .filter(({ friendlyName }) => !friendlyName.startsWith(OWN_CONTENT))
    .map((content) => templateOf(content, needsApproval));
}

/** A template has one text for each kind of channel: what it says is the same in all of them. */
function templateOf(content: Content, needsApproval: boolean): Template {
  const texts = Object.values(content.types as Record<string, TypeOfContent>);
  const said = texts.find(({ body, title }) => body !== undefined || title !== undefined) ?? {};
  const parameters = gapsIn(JSON.stringify(content.types));
  const approval = content.approvalRequests as unknown as Approval | null;
  return {
    id: content.sid,
    name: content.friendlyName,
    language: content.language,
    status: needsApproval ? (STATUSES[approval?.status ?? ''] ?? 'pending') : 'approved',
    category: approval?.category ? approval.category.toLowerCase() : null,
    named: parameters.some((name) => !/^\d+$/.test(name)),
    header: null,
    body: { text: said.body ?? said.title ?? '', parameters },
    footer: said.footer ?? said.subtitle ?? null,
    buttons: buttonsOf(said),
  };
}

interface TypeOfContent {
  body?: string;
  title?: string;
  subtitle?: string;
  footer?: string;
  actions?: { type?: string; title?: string; url?: string }[];
}

interface Approval {
  status?: string;
  category?: string;
}

const STATUSES: Record<string, Template['status']> = {
  approved: 'approved',
  rejected: 'rejected',
  paused: 'paused',
  disabled: 'disabled',
};

/** Every gap is filled by the one list of the body, those of the buttons too. */
function buttonsOf({ actions = [] }: TypeOfContent): Template['buttons'] {
  return actions.map(({ type = 'QUICK_REPLY', title = '', url }) => ({
    type: type.toLowerCase(),
    label: title,
    ...(url === undefined ? {} : { url }),
    parameters: [],
  }));
}
