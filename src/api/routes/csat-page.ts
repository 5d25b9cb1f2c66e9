import { Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { lockConversation } from '../../core/conversations.ts';
import { answerRating, isOpen, type RatingRow } from '../../core/csat/ratings.ts';
import type { CsatSettings } from '../../core/csat/settings.ts';
import { limitBody } from '../body-limit.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HEADERS = {
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

const given = z.object({
  score: z.coerce.number().int().min(1).max(5),
  // A browser counts a line break as one character and sends two.
  comment: z
    .string()
    .transform((text) => text.replaceAll('\r\n', '\n').replaceAll('\0', '').trim())
    .pipe(z.string().max(2_000))
    .default(''),
});

type Asked = RatingRow & { csat: CsatSettings | null; business: string };

/**
 * The page behind the link of a mail, at /csat/TOKEN: the address itself is the key. Opening it changes nothing, since
 * programs that look a mail over open every link; only the form does.
 */
export function csatPageRoutes({ pool, transact, secrets }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  async function find(token: string): Promise<Asked | undefined> {
    const id = secrets.open('csat', token);
    const [row] =
      id === undefined
        ? []
        : await pool<Asked[]>`
            select r.*, coalesce(c.csat, b.csat) as csat, b.name as business from ratings r
            join businesses b on b.id = r.business_id join channels c on c.id = r.channel_id
            where r.id = ${id}`;
    return row;
  }

  app.get('/csat/:token', async (c) => {
    const asked = await find(c.req.param('token'));
    if (asked === undefined) return c.html(unknown(), 404, HEADERS);
    return isOpen(asked) ? c.html(form(asked), 200, HEADERS) : c.html(over(asked), statusOf(asked), HEADERS);
  });

  app.post('/csat/:token', limitBody(32_768), async (c) => {
    const asked = await find(c.req.param('token'));
    if (asked === undefined) return c.html(unknown(), 404, HEADERS);
    const answer = given.safeParse(await c.req.parseBody());
    if (!answer.success) return c.html(form(asked), 422, HEADERS);
    const { score, comment } = answer.data;
    const rated = await transact(async (tx) => {
      const conversation = await lockConversation(tx, asked.business_id, asked.conversation_id);
      const words = comment === '' ? undefined : comment;
      return answerRating(tx, conversation, { id: asked.id, score, comment: words, source: 'page' });
    });
    const now = { ...asked, ...(rated ?? (await find(c.req.param('token')))) };
    return c.html(over(now), rated === undefined ? statusOf(now) : 200, HEADERS);
  });

  return app;
}

/** What was answered stays answered; what nobody answered in time is gone. */
function statusOf({ score }: RatingRow): 200 | 410 {
  return score === null ? 410 : 200;
}

function form({ csat, business }: Asked) {
  const question = csat?.question ?? 'How did we do?';
  const labels = csat?.labels ?? [];
  return page(
    question,
    html`<form method="post">
      <fieldset>
        <legend>${question}</legend>
        ${[1, 2, 3, 4, 5].map(
          (score) =>
            html`<label class="score"><input type="radio" name="score" value="${score}" required /> ${score} ${labels[score - 1] ?? ''}</label>`,
        )}
      </fieldset>
      <label>To ${business} (optional): <textarea name="comment" maxlength="2000" rows="4"></textarea></label>
      <button>OK</button>
    </form>`,
  );
}

/** A link that a program has cut short, most of the time: whoever opened it reads no JSON. */
function unknown() {
  return page('404', html`<p>There is no such question. Was the whole link copied?</p>`);
}

function over({ score, business }: Asked) {
  return score === null
    ? page(business, html`<p>The time to answer is over.</p>`)
    : page(business, html`<p>Thank you. Your answer is ${score} of 5.</p>`);
}

function page(title: string, content: ReturnType<typeof html>) {
  return html`<!doctype html>
    <html dir="auto">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <style>
          :root { color-scheme: light dark; accent-color: #0f766e; }
          * { box-sizing: border-box; }
          body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem; }
          fieldset { border: 0; margin: 0 0 1rem; padding: 0; }
          legend { font-size: 1.4rem; font-weight: 600; margin-bottom: 1rem; padding: 0; }
          .score { border: 1px solid #8888; border-radius: 10px; cursor: pointer; display: block; margin: 0.5rem 0; padding: 0.6rem 1rem; }
          .score:has(:checked) { border-color: #0f766e; box-shadow: inset 0 0 0 1px #0f766e; }
          .score:focus-within { outline: 2px solid #0f766e; outline-offset: 1px; }
          textarea { border: 1px solid #8888; border-radius: 10px; display: block; font: inherit; margin-top: 0.25rem; padding: 0.6rem; width: 100%; }
          button { background: #0f766e; border: 0; border-radius: 10px; color: #fff; cursor: pointer; font: inherit; font-weight: 600; margin-top: 1rem; padding: 0.6rem 2rem; }
        </style>
      </head>
      <body>
        ${content}
      </body>
    </html>`;
}
