import { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { AppError } from '../core/errors.ts';
import { requireAccess } from './auth.ts';
import { limitBody } from './body-limit.ts';
import { clientIp } from './client-ip.ts';
import type { ApiDeps, ApiEnv, OperationDeps } from './deps.ts';
import { serveDocument } from './document.ts';
import { answerError, answerOtherMethods, errorHandler } from './errors.ts';
import { limitParts } from './form-parts.ts';
import { idempotency } from './idempotency.ts';
import { takeEmptyBodies } from './optional-body.ts';
import { rateLimit } from './rate-limit.ts';
import { observe, safeHeaders } from './request.ts';
import { aiRoutes } from './routes/ai.ts';
import { analyticsRoutes } from './routes/analytics.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { auditLogRoutes } from './routes/audit-log.ts';
import { automationRuleRoutes } from './routes/automation-rules.ts';
import { blockedSenderRoutes } from './routes/blocked-senders.ts';
import { businessRoutes } from './routes/businesses.ts';
import { cannedResponseRoutes } from './routes/canned-responses.ts';
import { channelRoutes } from './routes/channels.ts';
import { consentRoutes } from './routes/consents.ts';
import { conversationMergeRoutes } from './routes/conversation-merge.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { csatRoutes } from './routes/csat.ts';
import { csatPageRoutes } from './routes/csat-page.ts';
import { customerMergeRoutes } from './routes/customer-merge.ts';
import { customerMessageRoutes } from './routes/customer-messages.ts';
import { customerPrivacyRoutes } from './routes/customer-privacy.ts';
import { customerRoutes } from './routes/customers.ts';
import { demoRoutes } from './routes/demo.ts';
import { doorRoutes } from './routes/doors.ts';
import { draftRoutes } from './routes/drafts.ts';
import { eventTypeRoutes } from './routes/event-types.ts';
import { eventRoutes } from './routes/events.ts';
import { attachmentRoutes, fileRoutes } from './routes/files.ts';
import { healthRoutes } from './routes/health.ts';
import { inboundEventRoutes } from './routes/inbound-events.ts';
import { messageRoutes } from './routes/messages.ts';
import { oneMessageRoutes } from './routes/one-message.ts';
import { reactionRoutes } from './routes/reactions.ts';
import { realtimeRoutes } from './routes/realtime.ts';
import { searchRoutes } from './routes/search.ts';
import { teamRoutes } from './routes/team.ts';
import { teamsRoutes } from './routes/teams.ts';
import { templateRoutes } from './routes/templates.ts';
import { transitionRoutes } from './routes/transitions.ts';
import { typingRoutes } from './routes/typing.ts';
import { webchatRoutes } from './routes/webchat.ts';
import { webhookDeliveryRoutes } from './routes/webhook-deliveries.ts';
import { webhookEndpointRoutes } from './routes/webhook-endpoints.ts';
import { webhookRecoveryRoutes } from './routes/webhook-recovery.ts';
import { webhookSecretRoutes } from './routes/webhook-secrets.ts';
import { supportAnalyticsRoutes } from './support/analytics.ts';
import { supportAutomationRuleRoutes } from './support/automation-rules.ts';
import { supportCannedResponseRoutes } from './support/canned-responses.ts';
import { supportConversationRoutes } from './support/conversations.ts';
import { supportMessageRoutes } from './support/messages.ts';
import { supportVisitorRoutes } from './support/visitors.ts';
import { supportWebhookRoutes } from './support/webhooks.ts';
import { refuseUnknownFields } from './unknown-fields.ts';
import { refuseHostileInput, refuseInvalid } from './validate.ts';
import { describeWebhooks } from './webhook-document.ts';

const NATIVE = [
  businessRoutes,
  apiKeyRoutes,
  auditLogRoutes,
  analyticsRoutes,
  searchRoutes,
  teamRoutes,
  teamsRoutes,
  channelRoutes,
  inboundEventRoutes,
  conversationRoutes,
  transitionRoutes,
  conversationMergeRoutes,
  typingRoutes,
  csatRoutes,
  messageRoutes,
  oneMessageRoutes,
  reactionRoutes,
  templateRoutes,
  attachmentRoutes,
  aiRoutes,
  draftRoutes,
  cannedResponseRoutes,
  automationRuleRoutes,
  customerRoutes,
  consentRoutes,
  customerMergeRoutes,
  customerMessageRoutes,
  customerPrivacyRoutes,
  blockedSenderRoutes,
  eventRoutes,
  eventTypeRoutes,
  webhookEndpointRoutes,
  webhookDeliveryRoutes,
  webhookRecoveryRoutes,
  webhookSecretRoutes,
  webchatRoutes,
  realtimeRoutes,
];

const SUPPORT = [
  supportAnalyticsRoutes,
  supportConversationRoutes,
  supportMessageRoutes,
  supportVisitorRoutes,
  supportWebhookRoutes,
  supportCannedResponseRoutes,
  supportAutomationRuleRoutes,
];

/** The whole HTTP surface. Credentials and limits come before anything that reads a body. */
export function createApp(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = createHealthApp(deps);
  app.use('/api/*', corsFor(deps.config.corsOrigins));
  for (const dialect of ['/api/v1/*', '/api/support/*']) {
    app.use(dialect, requireAccess(deps), rateLimit(deps.rateLimits));
    app.use(dialect, limitByPath, limitParts, refuseHostileInput, idempotency(deps));
  }
  app.use('/api/v1/*', takeEmptyBodies(app), refuseUnknownFields(app));
  for (const routes of NATIVE) app.route('/api/v1', routes(deps));
  for (const routes of SUPPORT) app.route('/api/support', routes(deps));
  app.route('/', doorRoutes(deps));
  app.route('/', fileRoutes(deps));
  app.route('/', csatPageRoutes(deps));
  app.route('/', webchatRoutes(deps));
  app.route('/', demoRoutes(deps));
  describeWebhooks(app);
  serveDocument(app);
  return app;
}

/** What every process answers, and all that a worker does. */
export function createHealthApp(deps: OperationDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({ strict: false, defaultHook: refuseInvalid });
  app.onError(errorHandler(deps.log));
  app.notFound((c) => answerError(c, new AppError('not_found', 'There is nothing at this address.')));
  app.use(observe(deps.log, deps.metrics), clientIp(deps.config.trustedProxies), safeHeaders);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: answerOtherMethods }));
  app.route('/', healthRoutes(deps));
  return app;
}

const MEGABYTE = 1024 * 1024;
const limitUpload = limitBody(25 * MEGABYTE);
const limitJson = limitBody(MEGABYTE);

const limitByPath: typeof limitJson = (c, next) =>
  /\/upload\/?$/.test(c.req.path) ? limitUpload(c, next) : limitJson(c, next);

/** Widget routes are left out: their origins are the channel's own. */
function corsFor(origins: string[]): MiddlewareHandler<ApiEnv> {
  const configured = cors({
    origin: (origin) => (origins.includes('*') || origins.includes(origin) ? origin : null),
    allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'X-API-Key', 'X-Request-Id'],
    exposeHeaders: [
      'X-Request-Id',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
      'Retry-After',
      'Idempotency-Replayed',
    ],
    maxAge: 600,
  });
  return (c, next) => (c.req.path.startsWith('/api/v1/webchat/') ? next() : configured(c, next));
}
