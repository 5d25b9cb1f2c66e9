import { request } from 'undici';
import { z } from 'zod';
import type { Channel } from '../../core/adapter.ts';
import type { EgressGuard } from '../../core/egress.ts';
import { SendRejected } from '../../core/errors.ts';
import { answerText } from '../shared/answer-text.ts';
import type { EmailSettings, OauthSettings } from './settings.ts';

export interface AccessTokens {
  /** A token that is good for now; undefined where the channel signs in with a password. */
  token(channel: Channel<EmailSettings>): Promise<string | undefined>;
  /** Forgets the token that a server has refused. */
  forget(channel: Channel<EmailSettings>): void;
  /** The refresh token in use, when the provider has given out another than the stored one. */
  rotated(channel: Channel<EmailSettings>): string | undefined;
}

/** The consent to one mailbox, and what it has given us. */
interface Grant {
  /** Of which stored refresh token it is. */
  stored: string;
  refreshToken: string;
  access: Promise<string> | undefined;
  expiresAt: number;
}

const EARLY_MS = 60_000;
const TIMEOUT_MS = 10_000;

/** Access tokens for Google's and Microsoft's mailboxes, refreshed a little before they end. */
export function createAccessTokens(egress: Pick<EgressGuard, 'dispatcher'>): AccessTokens {
  const grants = new Map<string, Grant>();

  function grantOf(id: string, { refresh_token }: OauthSettings): Grant {
    const known = grants.get(id);
    if (known?.stored === refresh_token) return known;
    const fresh = { stored: refresh_token, refreshToken: refresh_token, access: undefined, expiresAt: 0 };
    grants.set(id, fresh);
    return fresh;
  }

  async function refresh(grant: Grant, oauth: OauthSettings): Promise<string> {
    const answer = await askFor(oauth, grant.refreshToken, egress);
    grant.expiresAt = Date.now() + answer.expires_in * 1000 - EARLY_MS;
    grant.refreshToken = answer.refresh_token ?? grant.refreshToken;
    return answer.access_token;
  }

  return {
    async token({ id, settings: { oauth } }) {
      if (oauth === undefined) return undefined;
      const grant = grantOf(id, oauth);
      if (grant.access !== undefined && Date.now() < grant.expiresAt) return grant.access;
      grant.expiresAt = Date.now() + TIMEOUT_MS;
      grant.access = refresh(grant, oauth);
      grant.access.catch(() => {
        grant.access = undefined;
      });
      return grant.access;
    },
    forget({ id }) {
      const grant = grants.get(id);
      if (grant !== undefined) grant.access = undefined;
    },
    rotated({ id, settings }) {
      const grant = grants.get(id);
      if (grant === undefined || grant.stored !== settings.oauth?.refresh_token) return undefined;
      return grant.refreshToken === grant.stored ? undefined : grant.refreshToken;
    },
  };
}

const answered = z.object({
  access_token: z.string(),
  expires_in: z.coerce.number().default(3_600),
  refresh_token: z.string().optional(),
});
const refused = z.object({ error: z.string(), error_description: z.string().optional() });

async function askFor(
  oauth: OauthSettings,
  refreshToken: string,
  { dispatcher }: Pick<EgressGuard, 'dispatcher'>,
) {
  const response = await request(tokenUrl(oauth), {
    method: 'POST',
    dispatcher,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: oauth.client_id,
      refresh_token: refreshToken,
      ...(oauth.client_secret === undefined ? {} : { client_secret: oauth.client_secret }),
      ...(oauth.provider === 'microsoft' ? { scope: MICROSOFT_SCOPE } : {}),
    }).toString(),
  });
  const body: unknown = await answerText(response.body)
    .then(JSON.parse)
    .catch(() => undefined);
  const parsed = answered.safeParse(body);
  if (response.statusCode === 200 && parsed.success) return parsed.data;
  throw refusal(oauth, response.statusCode, refused.safeParse(body).data);
}

const MICROSOFT_SCOPE =
  'https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access';

function tokenUrl({ provider, tenant, token_url }: OauthSettings): string {
  if (token_url !== undefined) return token_url;
  if (provider === 'google') return 'https://oauth2.googleapis.com/token';
  return `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;
}

const FINAL = ['invalid_grant', 'invalid_client', 'unauthorized_client', 'invalid_request', 'invalid_scope'];

/** A consent that was taken back, or a client that is not known, only a person can mend. */
function refusal(
  { provider }: OauthSettings,
  status: number,
  answer: z.infer<typeof refused> | undefined,
): Error {
  const name = provider === 'google' ? 'Google' : 'Microsoft';
  const why = answer === undefined ? `answered ${status}` : `says ${answer.error}`;
  const message = `${name} gives out no access token: it ${why}`;
  if (answer === undefined || !FINAL.includes(answer.error)) return new Error(message);
  return new SendRejected(`${message}. Connect the mailbox again.`, {
    channelBroken: true,
    providerCode: answer.error,
  });
}
