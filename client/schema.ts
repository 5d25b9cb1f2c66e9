// Generated from the OpenAPI document by `npm run client:generate`; not to be edited.
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Customer".
 */
export type Customer = {
  id: string;
  business_id: string;
  name: string | null;
  email: string | null;
  phone: string | null;
  external_id: string | null;
  custom_attributes: {
    [k: string]: unknown;
  };
  created_at: string;
  updated_at: string;
} | null;
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Card".
 */
export type Card = {
  title: string;
  description?: string;
  /**
   * @maxItems 20
   */
  actions?: {
    label: string;
    url?: string;
    /**
     * Comes back in `choice` of the answer.
     */
    action?: string;
    description?: string;
    section?: string;
  }[];
  /**
   * How the choices are best shown. A channel that cannot shows buttons, or numbered text.
   */
  layout?: 'buttons' | 'quick_replies' | 'list';
  /**
   * The button that opens the list.
   */
  list_label?: string;
} | null;
/**
 * What the customer chose, by button, label or number.
 *
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Choice".
 */
export type Choice = {
  /**
   * The message whose card it answers.
   */
  message_id: string | null;
  number: number | null;
  label: string;
  /**
   * What the card calls the choice, or its label.
   */
  action: string;
} | null;

export interface paths {
  '/health/live': {
    /**
     * Whether the process runs
     */
    get: {
      parameters: {};
      responses: {
        /**
         * It runs
         */
        200: {
          content: {
            'application/json': {
              status: 'ok';
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/health/ready': {
    /**
     * Whether requests may be sent here
     */
    get: {
      parameters: {};
      responses: {
        /**
         * They may
         */
        200: {
          content: {
            'application/json': {
              status: 'ok';
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/metrics': {
    /**
     * Prometheus metrics; from this machine or with ADMIN_API_KEY
     */
    get: {
      parameters: {};
      responses: {
        /**
         * Text format
         */
        200: {
          content: {
            'text/plain': string;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/businesses': {
    /**
     * Create a business and its owner key (needs ADMIN_API_KEY)
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name: string;
            timezone?: string;
          };
        };
      };
      responses: {
        /**
         * The business, and its owner key for this once
         */
        201: {
          content: {
            'application/json': {
              business: Business;
              api_key: string;
              agent_id: string;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/business': {
    /**
     * The business of this key
     */
    get: {
      parameters: {};
      responses: {
        /**
         * The business
         */
        200: {
          content: {
            'application/json': Business;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change the name, time zone or rules of the business
     */
    patch: {
      parameters: {};
      requestBody: {
        content: {
          'application/json': {
            name?: string;
            timezone?: string;
            /**
             * Resolves conversations in which nothing happened for so long, except snoozed ones; null or 0 keeps them open.
             */
            auto_resolve_after_minutes?: number | null;
            /**
             * Empties resolved and closed conversations after so many days of silence; null keeps them as long as the operator does, who may have set less.
             */
            retention_messages_days?: number | null;
            /**
             * Whether customers are asked, after their conversation is resolved, how they were served.
             */
            csat?: {
              is_enabled: boolean;
              question?: string;
              /**
               * The five answers, the worst first.
               */
              labels?: string[];
            } | null;
          };
        };
      };
      responses: {
        /**
         * The changed business
         */
        200: {
          content: {
            'application/json': Business;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/api-keys': {
    /**
     * List the API keys that stand
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
      };
      responses: {
        /**
         * A page of keys, newest first
         */
        200: {
          content: {
            'application/json': {
              data: ApiKey[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Create an API key
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name: string;
            /**
             * Up to your own role.
             */
            role?: 'owner' | 'admin' | 'agent' | 'bot';
            /**
             * The agent that writes with this key.
             */
            agent_id?: string | null;
            expires_at?: string | null;
          };
        };
      };
      responses: {
        /**
         * The key, in clear text for this once
         */
        201: {
          content: {
            'application/json': ApiKey;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/api-keys/{id}': {
    /**
     * Revoke an API key at once and for good
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * It is revoked
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/audit-log': {
    /**
     * Who did what to settings, keys, secrets and the team, newest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          action?: string;
          subject_id?: string;
          agent_id?: string;
        };
      };
      responses: {
        /**
         * A page of the log
         */
        200: {
          content: {
            'application/json': {
              data: AuditEntry[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/analytics/overview': {
    /**
     * The business at a glance
     */
    get: {
      parameters: {
        query?: {
          /**
           * Up to now.
           */
          days?: number;
        };
      };
      responses: {
        /**
         * What happened, and what is open
         */
        200: {
          content: {
            'application/json': AnalyticsOverview;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/analytics/conversations': {
    /**
     * All conversations of the business in a few numbers
     */
    get: {
      parameters: {};
      responses: {
        /**
         * Counts, and averages in seconds
         */
        200: {
          content: {
            'application/json': AnalyticsConversations;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/analytics/report': {
    /**
     * Counts and times per channel, agent, tag or day
     */
    get: {
      parameters: {
        query?: {
          group_by?: 'channel' | 'channel_type' | 'agent' | 'tag' | 'day';
          /**
           * The first day; 30 days up to today without it.
           */
          from?: string;
          /**
           * The last day; today without it.
           */
          to?: string;
          /**
           * Whose days; those of the business without it.
           */
          timezone?: string;
          /**
           * Count only the seconds in which the channel, or its team, works.
           */
          working_hours?: 'true' | 'false';
          channel_id?: string;
          channel_type?: string;
          agent_id?: string;
          tag?: string;
          format?: 'json' | 'csv';
        };
      };
      responses: {
        /**
         * The report
         */
        200: {
          content: {
            'application/json': AnalyticsReport;
            'text/csv': string;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/search': {
    /**
     * Find messages, conversations and customers by their words
     */
    get: {
      parameters: {
        query: {
          q: string;
          kind?: 'message' | 'conversation' | 'customer';
          /**
           * One status, or several with commas.
           */
          status?: string;
          channel_id?: string;
          channel_type?: string;
          /**
           * An agent or a team; `none` for nobody yet.
           */
          assignee_id?: 'none' | string;
          customer_id?: string;
          tag?: string;
          after?: string;
          before?: string;
        };
      };
      responses: {
        /**
         * What was found, newest first
         */
        200: {
          content: {
            'application/json': {
              data: SearchHit[];
              partial: boolean;
              /**
               * `words`: without pg_trgm only whole words and their beginnings are found.
               */
              matches: 'parts' | 'words';
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/team/members': {
    /**
     * List the agents of the business
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
      };
      responses: {
        /**
         * A page of agents, in the order they joined
         */
        200: {
          content: {
            'application/json': {
              data: Agent[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/team/invite': {
    /**
     * Add an agent with a key of its own
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            email: string;
            name?: string;
            role?: 'owner' | 'admin' | 'agent' | 'bot';
          };
        };
      };
      responses: {
        /**
         * The agent, and its key for this once
         */
        201: {
          content: {
            'application/json': {
              id: string;
              name: string;
              email: string | null;
              role: 'owner' | 'admin' | 'agent' | 'bot';
              status: 'live' | 'away' | 'offline';
              is_active: boolean;
              invited_at: string | null;
              created_at: string;
              api_key: string;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/team/members/{id}': {
    /**
     * Take an agent off the team; its keys end at once
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The agent is gone
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/team/status': {
    /**
     * Say whether the agent of this key is there
     */
    patch: {
      parameters: {};
      requestBody: {
        content: {
          'application/json': {
            status: 'live' | 'away' | 'offline';
          };
        };
      };
      responses: {
        /**
         * The agent
         */
        200: {
          content: {
            'application/json': Agent;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/team/pending-handoffs': {
    /**
     * List conversations that wait for a person, the longest waiting first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
      };
      responses: {
        /**
         * A page of conversations
         */
        200: {
          content: {
            'application/json': {
              data: Conversation[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/team/assign/{conversation_id}': {
    /**
     * Give a conversation to an agent or a team
     */
    post: {
      parameters: {
        query: {
          agent_id: string;
        };
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          conversation_id: string;
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/teams': {
    /**
     * List the teams of the business
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
      };
      responses: {
        /**
         * A page of teams, oldest first
         */
        200: {
          content: {
            'application/json': {
              data: Team[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Make a team; its id can be given wherever an assignee is
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name: string;
            /**
             * How it passes on what it is given; without it, in turns.
             */
            assignment?: {
              /**
               * `manual`: a person decides · `round_robin`: whose turn is the longest ago · `least_busy`: who has the fewest open and pending conversations. Only agents who are `live`.
               */
              mode?: 'manual' | 'round_robin' | 'least_busy';
              /**
               * Outside of them conversations wait.
               */
              working_hours?: {
                timezone: string;
                /**
                 * Several ranges a day; one that ends before it begins goes on into the next day.
                 */
                schedule: {
                  mon?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  tue?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  wed?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  thu?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  fri?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  sat?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  sun?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                };
                /**
                 * Days, like 2026-12-25, on which nothing begins.
                 *
                 * @maxItems 400
                 */
                holidays?: string[];
              };
            };
            /**
             * Ids of agents; all of them.
             *
             * @maxItems 1000
             */
            members?: string[];
          };
        };
      };
      responses: {
        /**
         * The team
         */
        201: {
          content: {
            'application/json': Team;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/teams/{id}': {
    /**
     * Get a team
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The team
         */
        200: {
          content: {
            'application/json': Team;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change a team
     */
    patch: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name?: string;
            /**
             * How it passes on what it is given; without it, in turns.
             */
            assignment?: {
              /**
               * `manual`: a person decides · `round_robin`: whose turn is the longest ago · `least_busy`: who has the fewest open and pending conversations. Only agents who are `live`.
               */
              mode?: 'manual' | 'round_robin' | 'least_busy';
              /**
               * Outside of them conversations wait.
               */
              working_hours?: {
                timezone: string;
                /**
                 * Several ranges a day; one that ends before it begins goes on into the next day.
                 */
                schedule: {
                  mon?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  tue?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  wed?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  thu?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  fri?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  sat?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  sun?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                };
                /**
                 * Days, like 2026-12-25, on which nothing begins.
                 *
                 * @maxItems 400
                 */
                holidays?: string[];
              };
            };
            /**
             * Ids of agents; all of them.
             *
             * @maxItems 1000
             */
            members?: string[];
          };
        };
      };
      responses: {
        /**
         * The team
         */
        200: {
          content: {
            'application/json': Team;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Dissolve a team; what its agents work on stays theirs
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * It is gone
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/teams/{id}/members/{agent_id}': {
    /**
     * Put an agent into a team
     */
    put: {
      parameters: {
        path: {
          id: string;
          agent_id: string;
        };
      };
      responses: {
        /**
         * The team
         */
        200: {
          content: {
            'application/json': Team;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Take an agent out of a team
     */
    delete: {
      parameters: {
        path: {
          id: string;
          agent_id: string;
        };
      };
      responses: {
        /**
         * The team
         */
        200: {
          content: {
            'application/json': Team;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/channels': {
    /**
     * List the channels of the business
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          type?: string;
          is_active?: 'true' | 'false';
        };
      };
      responses: {
        /**
         * A page of channels, oldest first
         */
        200: {
          content: {
            'application/json': {
              data: Channel[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Connect a channel
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            type: string;
            /**
             * What the type needs; see the README.
             */
            config?: {
              [k: string]: unknown;
            };
            name?: string;
            is_active?: boolean;
            is_default?: boolean;
            /**
             * Whether a customer message reopens a resolved conversation: always | within_hours:N | never.
             */
            reopen?: string;
            /**
             * Who gets the conversations that customers begin here.
             */
            assignment?: {
              /**
               * `manual`: a person decides · `round_robin`: whose turn is the longest ago · `least_busy`: who has the fewest open and pending conversations. Only agents who are `live`.
               */
              mode?: 'manual' | 'round_robin' | 'least_busy';
              /**
               * Only these agents; without them, and without a team, all of the business.
               *
               * @minItems 1
               * @maxItems 500
               */
              agent_ids?: string[];
              /**
               * The conversations are this team’s.
               */
              team_id?: string;
              /**
               * Outside of them conversations wait.
               */
              working_hours?: {
                timezone: string;
                /**
                 * Several ranges a day; one that ends before it begins goes on into the next day.
                 */
                schedule: {
                  mon?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  tue?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  wed?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  thu?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  fri?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  sat?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  sun?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                };
                /**
                 * Days, like 2026-12-25, on which nothing begins.
                 *
                 * @maxItems 400
                 */
                holidays?: string[];
              };
            };
            /**
             * Resolves conversations in which nothing happened for so long, except snoozed ones; 0 keeps them open, null leaves it to the business.
             */
            auto_resolve_after_minutes?: number | null;
            /**
             * Empties resolved and closed conversations after so many days of silence; null leaves it to the business, and the operator may have set less.
             */
            retention_messages_days?: number | null;
            /**
             * Whether customers are asked, after their conversation is resolved, how they were served; null leaves it to the business.
             */
            csat?: {
              is_enabled: boolean;
              question?: string;
              /**
               * The five answers, the worst first.
               */
              labels?: string[];
            } | null;
            /**
             * Said once to whoever begins a conversation, at most once a day; variables are filled in.
             */
            greeting?: string | null;
            /**
             * Said instead outside of the working hours of `assignment`, or of its team: once until work begins again.
             */
            out_of_hours?: string | null;
          };
        };
      };
      responses: {
        /**
         * The channel
         */
        201: {
          content: {
            'application/json': Channel;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/channels/{id}': {
    /**
     * Get a channel
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The channel
         */
        200: {
          content: {
            'application/json': Channel;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change a channel
     */
    patch: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * What the type needs; see the README.
             */
            config?: {
              [k: string]: unknown;
            };
            name?: string;
            is_active?: boolean;
            is_default?: boolean;
            /**
             * Whether a customer message reopens a resolved conversation: always | within_hours:N | never.
             */
            reopen?: string;
            /**
             * Who gets the conversations that customers begin here.
             */
            assignment?: {
              /**
               * `manual`: a person decides · `round_robin`: whose turn is the longest ago · `least_busy`: who has the fewest open and pending conversations. Only agents who are `live`.
               */
              mode?: 'manual' | 'round_robin' | 'least_busy';
              /**
               * Only these agents; without them, and without a team, all of the business.
               *
               * @minItems 1
               * @maxItems 500
               */
              agent_ids?: string[];
              /**
               * The conversations are this team’s.
               */
              team_id?: string;
              /**
               * Outside of them conversations wait.
               */
              working_hours?: {
                timezone: string;
                /**
                 * Several ranges a day; one that ends before it begins goes on into the next day.
                 */
                schedule: {
                  mon?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  tue?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  wed?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  thu?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  fri?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  sat?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                  sun?:
                    | {
                        start: string;
                        end: string;
                      }[]
                    | {
                        start: string;
                        end: string;
                      };
                };
                /**
                 * Days, like 2026-12-25, on which nothing begins.
                 *
                 * @maxItems 400
                 */
                holidays?: string[];
              };
            };
            /**
             * Resolves conversations in which nothing happened for so long, except snoozed ones; 0 keeps them open, null leaves it to the business.
             */
            auto_resolve_after_minutes?: number | null;
            /**
             * Empties resolved and closed conversations after so many days of silence; null leaves it to the business, and the operator may have set less.
             */
            retention_messages_days?: number | null;
            /**
             * Whether customers are asked, after their conversation is resolved, how they were served; null leaves it to the business.
             */
            csat?: {
              is_enabled: boolean;
              question?: string;
              /**
               * The five answers, the worst first.
               */
              labels?: string[];
            } | null;
            /**
             * Said once to whoever begins a conversation, at most once a day; variables are filled in.
             */
            greeting?: string | null;
            /**
             * Said instead outside of the working hours of `assignment`, or of its team: once until work begins again.
             */
            out_of_hours?: string | null;
          };
        };
      };
      responses: {
        /**
         * The changed channel
         */
        200: {
          content: {
            'application/json': Channel;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Disconnect a channel; its conversations stay readable
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * It is gone
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/channels/{id}/health': {
    /**
     * Ask the provider whether the account works
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * What the provider says
         */
        200: {
          content: {
            'application/json': {
              ok: boolean;
              /**
               * What the provider says, in plain words.
               */
              detail: string;
              facts?: {
                [k: string]: unknown;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/channels/{id}/test': {
    /**
     * Try each step that a message passes, without sending one
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * What works and what does not
         */
        200: {
          content: {
            'application/json': {
              ok: boolean;
              steps: {
                /**
                 * settings, active, provider, door or listener.
                 */
                name: string;
                ok: boolean;
                detail: string;
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/inbound-events': {
    /**
     * List what providers sent us
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          status?: 'processed' | 'ignored' | 'failed';
          channel_id?: string;
        };
      };
      responses: {
        /**
         * A page of requests, newest first
         */
        200: {
          content: {
            'application/json': {
              data: InboundEvent[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/inbound-events/{id}': {
    /**
     * Get one request with its raw body; the look is audited
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The request
         */
        200: {
          content: {
            'application/json': {
              id: string;
              channel_id: string;
              customer_id: string | null;
              status: 'processed' | 'ignored' | 'failed';
              reason: string | null;
              received_at: string;
              headers: {
                [k: string]: string;
              };
              /**
               * The raw body as text; null once its customer was erased.
               */
              body: string | null;
              /**
               * The same bytes, for bodies that are no text.
               */
              body_base64: string | null;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/inbound-events/{id}/replay': {
    /**
     * Receive a request again, as it is understood today
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * What became of each item
         */
        200: {
          content: {
            'application/json': {
              data: {
                duplicate: boolean;
                message_id: string | null;
                conversation_id: string | null;
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations': {
    /**
     * List conversations, newest activity first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          /**
           * One status, or several with commas.
           */
          status?: string;
          assignee_id?: 'none' | string;
          channel_id?: string;
          channel_type?: string;
          customer_id?: string;
          /**
           * Any of their emails, however it is capitalised.
           */
          email?: string;
          /**
           * Any of their phones, however it is written.
           */
          phone?: string;
          /**
           * The id that you gave the customer.
           */
          external_id?: string;
          /**
           * Their address on a channel: a chat id, a number, a visitor.
           */
          address?: string;
          tag?: string;
          needs_human_handoff?: 'true' | 'false';
          /**
           * In the customer's name, email and phone, the subject, and what `/search` finds: texts, tags and attributes, the newest 200. One or two letters are looked for where words of the former begin and end.
           */
          q?: string;
          created_after?: string;
          created_before?: string;
          updated_since?: string;
          /**
           * Those too that were merged into another one.
           */
          include?: 'merged';
          sort?:
            | '-last_message_at'
            | 'last_message_at'
            | '-created_at'
            | 'created_at'
            | '-updated_at'
            | 'updated_at';
        };
      };
      responses: {
        /**
         * A page of conversations
         */
        200: {
          content: {
            'application/json': {
              data: Conversation[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Open a conversation from our side
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            business_id: string;
            customer_id?: string | null;
            /**
             * Without it the business's default channel.
             */
            channel_id?: string | null;
            initial_message?: string | null;
            /**
             * An approved template instead of `initial_message`; `attachments` then hold the file of its header.
             */
            template?: {
              id?: string;
              name?: string;
              language?: string;
              header?:
                | string
                | {
                    latitude: number;
                    longitude: number;
                    name?: string;
                    address?: string;
                  };
              body?:
                | string[]
                | {
                    [k: string]: string;
                  };
              /**
               * By their place, from 0.
               */
              buttons?: {
                [k: string]: string;
              };
            } | null;
            /**
             * Addresses: what an upload answered, an attachment of ours, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?:
              | (
                  | string
                  | {
                      id?: string | null;
                      url?: string | null;
                      name?: string | null;
                      type?: string | null;
                      size?: number | null;
                    }
                )[]
              | null;
            subject?: string | null;
            assignee_id?: string | null;
          };
        };
      };
      responses: {
        /**
         * The new conversation
         */
        201: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              customer_id: string | null;
              assignee_id: string | null;
              /**
               * The team it was given to.
               */
              team_id: string | null;
              status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
              channel_type: string;
              channel_id: string;
              subject: string | null;
              priority: 'low' | 'normal' | 'high' | 'urgent' | null;
              tags: string[];
              custom_attributes: {
                [k: string]: unknown;
              };
              needs_human_handoff: boolean;
              handoff_reason: string | null;
              /**
               * Since when it waits for a person.
               */
              handoff_requested_at: string | null;
              snoozed_until: string | null;
              reply_window_expires_at: string | null;
              last_message_at: string;
              last_message_seq: number;
              unread_count: number;
              merged_into_id: string | null;
              created_at: string;
              updated_at: string;
              first_response_at: string | null;
              resolved_at: string | null;
              closed_at: string | null;
              customer: Customer;
              participants: {
                type: 'customer' | 'agent' | 'bot';
                id: string | null;
                name: string | null;
              }[];
              /**
               * The conversations that were merged into this one.
               */
              merged_from: string[];
              /**
               * How far agents have read.
               */
              agent_read_seq: number;
              /**
               * How far the customer has read, where the channel says so.
               */
              customer_read_seq: number;
              messages: Message[];
              messages_has_more: boolean;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}': {
    /**
     * A conversation with its customer, participants and messages
     */
    get: {
      parameters: {
        query?: {
          /**
           * Only so many of the newest.
           */
          messages?: number;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              customer_id: string | null;
              assignee_id: string | null;
              /**
               * The team it was given to.
               */
              team_id: string | null;
              status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
              channel_type: string;
              channel_id: string;
              subject: string | null;
              priority: 'low' | 'normal' | 'high' | 'urgent' | null;
              tags: string[];
              custom_attributes: {
                [k: string]: unknown;
              };
              needs_human_handoff: boolean;
              handoff_reason: string | null;
              /**
               * Since when it waits for a person.
               */
              handoff_requested_at: string | null;
              snoozed_until: string | null;
              reply_window_expires_at: string | null;
              last_message_at: string;
              last_message_seq: number;
              unread_count: number;
              merged_into_id: string | null;
              created_at: string;
              updated_at: string;
              first_response_at: string | null;
              resolved_at: string | null;
              closed_at: string | null;
              customer: Customer;
              participants: {
                type: 'customer' | 'agent' | 'bot';
                id: string | null;
                name: string | null;
              }[];
              /**
               * The conversations that were merged into this one.
               */
              merged_from: string[];
              /**
               * How far agents have read.
               */
              agent_read_seq: number;
              /**
               * How far the customer has read, where the channel says so.
               */
              customer_read_seq: number;
              messages: Message[];
              messages_has_more: boolean;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change a conversation; a status does what its own route does
     */
    patch: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            status?: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
            /**
             * With status snoozed.
             */
            snoozed_until?: string | null;
            priority?: 'low' | 'normal' | 'high' | 'urgent' | null;
            subject?: string | null;
            /**
             * Merged into what is there; null takes one away.
             */
            custom_attributes?: {
              [k: string]: unknown;
            };
            /**
             * While the conversation has no customer.
             */
            customer_id?: string | null;
          };
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change a conversation; a status does what its own route does
     */
    put: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            status?: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
            /**
             * With status snoozed.
             */
            snoozed_until?: string | null;
            priority?: 'low' | 'normal' | 'high' | 'urgent' | null;
            subject?: string | null;
            /**
             * Merged into what is there; null takes one away.
             */
            custom_attributes?: {
              [k: string]: unknown;
            };
            /**
             * While the conversation has no customer.
             */
            customer_id?: string | null;
          };
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/resolve': {
    /**
     * Resolve a conversation
     */
    put: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/close': {
    /**
     * Close a conversation
     */
    put: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/reopen': {
    /**
     * Reopen a conversation
     */
    put: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/assign/{agent_id}': {
    /**
     * Assign a conversation to an agent or a team
     */
    put: {
      parameters: {
        path: {
          id: string;
          agent_id: string;
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/assign': {
    /**
     * Assign a conversation to an agent or a team, or unassign it with null
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            assignee_id: string | null;
          };
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/snooze': {
    /**
     * Hide a conversation until a time; one that has passed wakes it at once
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            until: string;
          };
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/tags': {
    /**
     * Add tags
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * @minItems 1
             * @maxItems 50
             */
            tags: string[];
          };
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/tags/{tag}': {
    /**
     * Remove a tag
     */
    delete: {
      parameters: {
        path: {
          id: string;
          tag: string;
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/handoff': {
    /**
     * Ask for a person to take over
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody?: {
        content: {
          'application/json': {
            reason?: string | null;
          };
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Give a conversation back to the AI: nobody has it, and no person is waited for
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/read': {
    /**
     * Note how far agents have read; without a seq, everything
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody?: {
        content: {
          'application/json': {
            up_to_seq?: number;
          };
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/unread': {
    /**
     * Make unread again what the customer wrote from a seq on; without one, their last message
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody?: {
        content: {
          'application/json': {
            from_seq?: number;
          };
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/merge': {
    /**
     * Make a conversation part of another, where its customer goes on from now on
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            into: string;
          };
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              customer_id: string | null;
              assignee_id: string | null;
              /**
               * The team it was given to.
               */
              team_id: string | null;
              status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
              channel_type: string;
              channel_id: string;
              subject: string | null;
              priority: 'low' | 'normal' | 'high' | 'urgent' | null;
              tags: string[];
              custom_attributes: {
                [k: string]: unknown;
              };
              needs_human_handoff: boolean;
              handoff_reason: string | null;
              /**
               * Since when it waits for a person.
               */
              handoff_requested_at: string | null;
              snoozed_until: string | null;
              reply_window_expires_at: string | null;
              last_message_at: string;
              last_message_seq: number;
              unread_count: number;
              merged_into_id: string | null;
              created_at: string;
              updated_at: string;
              first_response_at: string | null;
              resolved_at: string | null;
              closed_at: string | null;
              customer: Customer;
              /**
               * Who hears what is answered from now on: the customer of the other conversation. Where that is not `customer_id`, this conversation’s customer hears none of it, until the two customers are merged.
               */
              answers_reach_customer_id: string | null;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Undo the merge of a conversation
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The whole conversation
         */
        200: {
          content: {
            'application/json': Conversation;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/typing': {
    /**
     * Show the customer that an agent is typing
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            is_typing: boolean;
          };
        };
      };
      responses: {
        /**
         * What was shown
         */
        200: {
          content: {
            'application/json': {
              conversation_id: string;
              is_typing: boolean;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/csat': {
    /**
     * Note how the customer rates how they were served
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            score: number;
            comment?: string | null;
          };
        };
      };
      responses: {
        /**
         * The rating
         */
        201: {
          content: {
            'application/json': Rating;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * How the customer was asked and what they answered, newest first
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The ratings
         */
        200: {
          content: {
            'application/json': {
              data: Rating[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/messages': {
    /**
     * Messages of a conversation, oldest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          after_seq?: number;
          /**
           * Alone: the last messages before it, still oldest first.
           */
          before_seq?: number;
          /**
           * Lines of the timeline too.
           */
          include?: 'activity';
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * A page of messages
         */
        200: {
          content: {
            'application/json': {
              data: Message[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Write to the customer, or a note to the team
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * The text; with type `card` the card itself may stand here.
             */
            content?: string | Card | null;
            html?: string | null;
            type?: 'text' | 'attachment' | 'card' | 'note' | 'template' | null;
            card?: Card;
            /**
             * Addresses: what an upload answered, an attachment of ours, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?:
              | (
                  | string
                  | {
                      id?: string | null;
                      url?: string | null;
                      name?: string | null;
                      type?: string | null;
                      size?: number | null;
                    }
                )[]
              | null;
            reply_to_id?: string | null;
            subject?: string | null;
            /**
             * @maxItems 50
             */
            cc?: string[] | null;
            /**
             * @maxItems 50
             */
            bcc?: string[] | null;
            /**
             * Send it then; a time in the past means at once.
             */
            send_at?: string | null;
            /**
             * With `send_at`: not if the customer writes before.
             */
            cancel_on_reply?: boolean | null;
            /**
             * Refused with 409 when a message other than a note came after this seq.
             */
            if_last_seq?: number | null;
            /**
             * Refused with 409 when another agent or team has the conversation; `none`: when anybody has.
             */
            if_assignee_id?: 'none' | string | null;
            /**
             * The same one again is the same message.
             */
            client_message_id?: string | null;
            /**
             * An approved template instead of a text, which may be sent at any time.
             */
            template?: {
              id?: string;
              name?: string;
              language?: string;
              header?:
                | string
                | {
                    latitude: number;
                    longitude: number;
                    name?: string;
                    address?: string;
                  };
              body?:
                | string[]
                | {
                    [k: string]: string;
                  };
              /**
               * By their place, from 0.
               */
              buttons?: {
                [k: string]: string;
              };
            } | null;
          };
        };
      };
      responses: {
        /**
         * The message, on its way
         */
        202: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/reply': {
    /**
     * Reply, or add a note
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            message: string;
            /**
             * A reply, unless told otherwise.
             */
            type?: 'reply' | 'note' | null;
            /**
             * Addresses: what an upload answered, an attachment of ours, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?:
              | (
                  | string
                  | {
                      id?: string | null;
                      url?: string | null;
                      name?: string | null;
                      type?: string | null;
                      size?: number | null;
                    }
                )[]
              | null;
          };
        };
      };
      responses: {
        /**
         * The message, on its way
         */
        202: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/upload': {
    /**
     * Upload a file to put in a message
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'multipart/form-data': {
            file?: string;
          };
        };
      };
      responses: {
        /**
         * Where it is; put its `url` or `id` into `attachments` of one message within a day
         */
        201: {
          content: {
            'application/json': {
              id: string;
              url: string;
              name: string;
              type: string;
              size: number;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/messages': {
    /**
     * Write to an address in one call
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * The text; with type `card` the card itself may stand here.
             */
            content?: string | Card | null;
            html?: string | null;
            type?: 'text' | 'attachment' | 'card' | 'note' | 'template' | null;
            card?: Card;
            /**
             * Addresses: what an upload answered, an attachment of ours, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?:
              | (
                  | string
                  | {
                      id?: string | null;
                      url?: string | null;
                      name?: string | null;
                      type?: string | null;
                      size?: number | null;
                    }
                )[]
              | null;
            reply_to_id?: string | null;
            subject?: string | null;
            /**
             * @maxItems 50
             */
            cc?: string[] | null;
            /**
             * @maxItems 50
             */
            bcc?: string[] | null;
            /**
             * Send it then; a time in the past means at once.
             */
            send_at?: string | null;
            /**
             * With `send_at`: not if the customer writes before.
             */
            cancel_on_reply?: boolean | null;
            /**
             * Refused with 409 when a message other than a note came after this seq.
             */
            if_last_seq?: number | null;
            /**
             * Refused with 409 when another agent or team has the conversation; `none`: when anybody has.
             */
            if_assignee_id?: 'none' | string | null;
            /**
             * The same one again is the same message.
             */
            client_message_id?: string | null;
            /**
             * An approved template instead of a text, which may be sent at any time.
             */
            template?: {
              id?: string;
              name?: string;
              language?: string;
              header?:
                | string
                | {
                    latitude: number;
                    longitude: number;
                    name?: string;
                    address?: string;
                  };
              body?:
                | string[]
                | {
                    [k: string]: string;
                  };
              /**
               * By their place, from 0.
               */
              buttons?: {
                [k: string]: string;
              };
            } | null;
            channel_id: string;
            to: string;
            /**
             * Who it is, when nobody is known at the address yet.
             */
            customer?: {
              name?: string | null;
              email?: string | null;
              phone?: string | null;
              /**
               * Every email, replacing those that are known; the first is `email` unless that is in it.
               *
               * @maxItems 20
               */
              emails?: string[];
              /**
               * Every phone, replacing those that are known.
               *
               * @maxItems 20
               */
              phones?: string[];
              external_id?: string | null;
              custom_attributes?: {
                [k: string]: unknown;
              };
            } | null;
          };
        };
      };
      responses: {
        /**
         * The message, on its way
         */
        202: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/messages/{id}': {
    /**
     * A message with every try of sending it
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The message
         */
        200: {
          content: {
            'application/json': {
              id: string;
              seq: number | null;
              conversation_id: string;
              direction: 'inbound' | 'outbound' | 'internal';
              sender_type: 'customer' | 'agent' | 'system' | 'bot';
              sender_id: string | null;
              sender: {
                id: string | null;
                name: string | null;
              };
              type:
                | 'text'
                | 'attachment'
                | 'card'
                | 'location'
                | 'contact'
                | 'template'
                | 'note'
                | 'activity'
                | 'unsupported';
              content: string;
              html: string | null;
              text_full: string | null;
              attachments: Attachment[];
              card: Card;
              choice: Choice;
              email: {
                subject?: string;
                from?: string;
                to?: string[];
                cc?: string[];
                bcc?: string[];
                reply_to?: string;
                message_id?: string;
                in_reply_to?: string;
                references?: string[];
              } | null;
              reactions: {
                emoji: string;
                sender: string;
              }[];
              reply_to_id: string | null;
              client_message_id: string | null;
              external_id: string | null;
              status:
                | 'scheduled'
                | 'queued'
                | 'sending'
                | 'sent'
                | 'delivered'
                | 'read'
                | 'failed'
                | 'canceled'
                | null;
              error: {
                code: string;
                provider_code: string | null;
                message: string;
                retryable: boolean;
              } | null;
              metadata: {
                [k: string]: unknown;
              };
              blocked_by: string | null;
              next_attempt_at: string | null;
              send_at: string | null;
              created_at: string;
              sent_at: string | null;
              delivered_at: string | null;
              read_at: string | null;
              edited_at: string | null;
              deleted_at: string | null;
              attempts: Attempt[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change what is scheduled; reword what was sent, where the channel can, or a note
     */
    patch: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            content?: string;
            html?: string | null;
            subject?: string;
            cancel_on_reply?: boolean;
            /**
             * A time in the past lets it go at once.
             */
            send_at?: string | null;
          };
        };
      };
      responses: {
        /**
         * The message
         */
        200: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Cancel what is scheduled or queued; take back what was sent, where the channel can, or a note
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The message
         */
        200: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/messages/{id}/retry': {
    /**
     * Send a failed message again, or a waiting one now
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The message
         */
        200: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/messages/{id}/skip': {
    /**
     * Let later messages pass one that waits for its next try
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The message
         */
        200: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/messages/{id}/reaction': {
    /**
     * React to a message, where the channel has reactions
     */
    put: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            emoji: string;
          };
        };
      };
      responses: {
        /**
         * The message with its reactions
         */
        200: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Take our reaction back
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The message with its reactions
         */
        200: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/channels/{id}/templates': {
    /**
     * List the templates that the provider has approved for the account
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          name?: string;
          language?: string;
          status?: 'approved' | 'pending' | 'rejected' | 'paused' | 'disabled';
          refresh?: 'true' | 'false';
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * A page of templates, by name
         */
        200: {
          content: {
            'application/json': {
              data: Template[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
                synced_at: string | null;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/attachments/{id}': {
    /**
     * An attachment with a fresh signed address
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The attachment
         */
        200: {
          content: {
            'application/json': Attachment;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/attachments/{id}/fetch': {
    /**
     * Fetch an attachment anew that could not be had, or was too large or let go
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The attachment, `pending` until it is here
         */
        200: {
          content: {
            'application/json': Attachment;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/business/ai': {
    /**
     * Have a program of yours answer customers, or suggest answers to agents
     */
    put: {
      parameters: {};
      requestBody: {
        content: {
          'application/json': {
            url: string;
            mode?: 'assist' | 'auto';
            /**
             * In mode `auto` an answer at least as sure as this is sent; any other asks for a person.
             */
            threshold?: number;
            timeout_seconds?: number;
            rotate_secret?: boolean;
          };
        };
      };
      responses: {
        /**
         * The hook; with its secret, for this once, when that is new
         */
        200: {
          content: {
            'application/json': {
              url: string;
              mode: 'assist' | 'auto';
              threshold: number;
              timeout_seconds: number;
              /**
               * Why its newest answer could not be used; null once it answers again.
               */
              last_failure: {
                at: string;
                message: string;
              } | null;
              created_at: string;
              updated_at: string;
              secret?: string;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * The program that answers, and whether it does
     */
    get: {
      parameters: {};
      responses: {
        /**
         * The hook
         */
        200: {
          content: {
            'application/json': AiHook;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Ask no program any more
     */
    delete: {
      parameters: {};
      responses: {
        /**
         * The hook is gone
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/ai/reply': {
    /**
     * Ask for an answer now: as a draft for agents, or sent when it is sure enough
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            conversation_id: string;
            mode?: 'assist' | 'auto';
          };
        };
      };
      responses: {
        /**
         * What it answers, and what became of it
         */
        200: {
          content: {
            'application/json': {
              conversation_id: string;
              reply: string | null;
              confidence: number;
              mode: 'assist' | 'auto';
              needs_handoff: boolean;
              handoff_reason: string | null;
              /**
               * The message that was sent.
               */
              message_id: string | null;
              /**
               * The draft that agents see.
               */
              draft_id: string | null;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/conversations/{id}/drafts': {
    /**
     * What the AI suggests to answer, for agents only
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The newest first
         */
        200: {
          content: {
            'application/json': {
              data: Draft[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/drafts/{id}/accept': {
    /**
     * Send a draft, as it is or reworded
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody?: {
        content: {
          'application/json': {
            content?: string;
            /**
             * Refused with 409 when a message other than a note came after this seq.
             */
            if_last_seq?: number;
          };
        };
      };
      responses: {
        /**
         * The message, queued; an accepted draft is not sent twice
         */
        202: {
          content: {
            'application/json': Message;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/drafts/{id}': {
    /**
     * Take a draft away
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The draft is gone
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/canned-responses': {
    /**
     * List the canned responses of the business
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          /**
           * A part of the title, shortcut or text.
           */
          q?: string;
          shortcut?: string;
        };
      };
      responses: {
        /**
         * A page of canned responses, oldest first
         */
        200: {
          content: {
            'application/json': {
              data: CannedResponse[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Write a canned response
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            title: string;
            /**
             * Unique in the business; capitals and the slash make no difference.
             */
            shortcut?: string | null;
            /**
             * With variables such as `{{visitor.name}}` or `{{visitor.plan | your}}`.
             */
            content: string;
            /**
             * Addresses: what an upload answered, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?: (
              | string
              | {
                  id?: string | null;
                  url?: string | null;
                  name?: string | null;
                  type?: string | null;
                  size?: number | null;
                }
            )[];
          };
        };
      };
      responses: {
        /**
         * The canned response
         */
        201: {
          content: {
            'application/json': CannedResponse;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/canned-responses/upload': {
    /**
     * Upload a file to put in a canned response
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'multipart/form-data': {
            file?: string;
          };
        };
      };
      responses: {
        /**
         * Where it is; put its `url` or `id` into `attachments` of one within a day
         */
        201: {
          content: {
            'application/json': {
              id: string;
              url: string;
              name: string;
              type: string;
              size: number;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/canned-responses/{id}': {
    /**
     * Get a canned response
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The canned response
         */
        200: {
          content: {
            'application/json': CannedResponse;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change a canned response
     */
    patch: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            title?: string;
            /**
             * Unique in the business; capitals and the slash make no difference.
             */
            shortcut?: string | null;
            /**
             * With variables such as `{{visitor.name}}` or `{{visitor.plan | your}}`.
             */
            content?: string;
            /**
             * Addresses: what an upload answered, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?: (
              | string
              | {
                  id?: string | null;
                  url?: string | null;
                  name?: string | null;
                  type?: string | null;
                  size?: number | null;
                }
            )[];
          };
        };
      };
      responses: {
        /**
         * The canned response
         */
        200: {
          content: {
            'application/json': CannedResponse;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Delete a canned response; messages that it was put into stay as they are
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * It is gone
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/canned-responses/{id}/render': {
    /**
     * Fill a canned response in for a conversation
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            conversation_id: string;
          };
        };
      };
      responses: {
        /**
         * What to write
         */
        200: {
          content: {
            'application/json': {
              content: string;
              attachments: {
                /**
                 * Null for one that is elsewhere.
                 */
                id: string | null;
                url: string;
                name: string | null;
                type: string | null;
                size: number | null;
              }[];
              /**
               * Variables that had no value, and no text for that case.
               */
              missing: string[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/automation-rules/vocabulary': {
    /**
     * What rules can be made of: triggers, fields, operators and actions, a line each
     */
    get: {
      parameters: {};
      responses: {
        /**
         * The words
         */
        200: {
          content: {
            'application/json': {
              triggers: {
                [k: string]: string;
              };
              fields: {
                [k: string]: string;
              };
              operators: {
                [k: string]: string;
              };
              actions: {
                [k: string]: string;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/automation-rules': {
    /**
     * List the rules of the business, in the order in which they run
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
      };
      responses: {
        /**
         * A page of rules
         */
        200: {
          content: {
            'application/json': {
              data: AutomationRule[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Make a rule: when this happens, and that holds, do those
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name?: string | null;
            trigger:
              | 'conversation.created'
              | 'conversation.updated'
              | 'conversation.assigned'
              | 'conversation.unassigned'
              | 'conversation.status_changed'
              | 'conversation.snoozed'
              | 'conversation.unsnoozed'
              | 'conversation.resolved'
              | 'conversation.closed'
              | 'conversation.reopened'
              | 'conversation.tags_changed'
              | 'conversation.handoff_requested'
              | 'conversation.merged'
              | 'message.received'
              | 'message.created'
              | 'message.sent'
              | 'message.delivered'
              | 'message.read'
              | 'message.failed'
              | 'message.updated'
              | 'message.deleted'
              | 'customer.created'
              | 'customer.updated'
              | 'customer.merged'
              | 'conversation.unanswered'
              | 'conversation.unassigned_for';
            /**
             * All of them must hold.
             *
             * @maxItems 50
             */
            conditions?: {
              /**
               * Such as `visitor.plan`; GET /automation-rules/vocabulary lists them.
               */
              field: string;
              operator:
                | 'equals'
                | 'notEquals'
                | 'contains'
                | 'notContains'
                | 'startsWith'
                | 'endsWith'
                | 'in'
                | 'notIn'
                | 'greaterThan'
                | 'lessThan'
                | 'exists'
                | 'notExists';
              value?: string | number | boolean | null | (string | number | boolean | null)[];
            }[];
            /**
             * Done in this order.
             *
             * @minItems 1
             * @maxItems 20
             */
            actions: (
              | {
                  type: 'assign';
                  assigneeId: string;
                }
              | {
                  type: 'unassign';
                }
              | {
                  type: 'addTag';
                  tag: string;
                }
              | {
                  type: 'removeTag';
                  tag: string;
                }
              | {
                  type: 'reply';
                  message: string;
                }
              | {
                  type: 'note';
                  message: string;
                }
              | {
                  type: 'setStatus';
                  status: 'open' | 'pending' | 'resolved' | 'closed';
                }
              | {
                  type: 'snooze';
                  minutes: number;
                }
              | {
                  type: 'setPriority';
                  priority: 'low' | 'normal' | 'high' | 'urgent' | null;
                }
              | {
                  type: 'setAttribute';
                  name: string;
                  /**
                   * Null takes it away.
                   */
                  value: string | number | boolean | null;
                }
              | {
                  type: 'setVisitorAttribute';
                  name: string;
                  /**
                   * Null takes it away.
                   */
                  value: string | number | boolean | null;
                }
              | {
                  type: 'handoff';
                  reason?: string | null;
                }
              | {
                  type: 'stop';
                }
            )[];
            /**
             * With the triggers of time, and only with them.
             */
            after_minutes?: number | null;
            is_active?: boolean;
          };
        };
      };
      responses: {
        /**
         * The rule
         */
        201: {
          content: {
            'application/json': AutomationRule;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/automation-rules/{id}': {
    /**
     * Get a rule
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The rule
         */
        200: {
          content: {
            'application/json': AutomationRule;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change a rule; it hears what happens from then on
     */
    patch: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name?: string | null;
            trigger?:
              | 'conversation.created'
              | 'conversation.updated'
              | 'conversation.assigned'
              | 'conversation.unassigned'
              | 'conversation.status_changed'
              | 'conversation.snoozed'
              | 'conversation.unsnoozed'
              | 'conversation.resolved'
              | 'conversation.closed'
              | 'conversation.reopened'
              | 'conversation.tags_changed'
              | 'conversation.handoff_requested'
              | 'conversation.merged'
              | 'message.received'
              | 'message.created'
              | 'message.sent'
              | 'message.delivered'
              | 'message.read'
              | 'message.failed'
              | 'message.updated'
              | 'message.deleted'
              | 'customer.created'
              | 'customer.updated'
              | 'customer.merged'
              | 'conversation.unanswered'
              | 'conversation.unassigned_for';
            /**
             * All of them must hold.
             *
             * @maxItems 50
             */
            conditions?: {
              /**
               * Such as `visitor.plan`; GET /automation-rules/vocabulary lists them.
               */
              field: string;
              operator:
                | 'equals'
                | 'notEquals'
                | 'contains'
                | 'notContains'
                | 'startsWith'
                | 'endsWith'
                | 'in'
                | 'notIn'
                | 'greaterThan'
                | 'lessThan'
                | 'exists'
                | 'notExists';
              value?: string | number | boolean | null | (string | number | boolean | null)[];
            }[];
            /**
             * Done in this order.
             *
             * @minItems 1
             * @maxItems 20
             */
            actions?: (
              | {
                  type: 'assign';
                  assigneeId: string;
                }
              | {
                  type: 'unassign';
                }
              | {
                  type: 'addTag';
                  tag: string;
                }
              | {
                  type: 'removeTag';
                  tag: string;
                }
              | {
                  type: 'reply';
                  message: string;
                }
              | {
                  type: 'note';
                  message: string;
                }
              | {
                  type: 'setStatus';
                  status: 'open' | 'pending' | 'resolved' | 'closed';
                }
              | {
                  type: 'snooze';
                  minutes: number;
                }
              | {
                  type: 'setPriority';
                  priority: 'low' | 'normal' | 'high' | 'urgent' | null;
                }
              | {
                  type: 'setAttribute';
                  name: string;
                  /**
                   * Null takes it away.
                   */
                  value: string | number | boolean | null;
                }
              | {
                  type: 'setVisitorAttribute';
                  name: string;
                  /**
                   * Null takes it away.
                   */
                  value: string | number | boolean | null;
                }
              | {
                  type: 'handoff';
                  reason?: string | null;
                }
              | {
                  type: 'stop';
                }
            )[];
            /**
             * With the triggers of time, and only with them.
             */
            after_minutes?: number | null;
            is_active?: boolean;
          };
        };
      };
      responses: {
        /**
         * The rule
         */
        200: {
          content: {
            'application/json': AutomationRule;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Delete a rule, with its log
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * It is gone
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/automation-rules/{id}/runs': {
    /**
     * What a rule did in the last 30 days, the newest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          outcome?: 'done' | 'failed' | 'skipped';
          conversation_id?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * A page of runs
         */
        200: {
          content: {
            'application/json': {
              data: {
                id: string;
                trigger:
                  | 'conversation.created'
                  | 'conversation.updated'
                  | 'conversation.assigned'
                  | 'conversation.unassigned'
                  | 'conversation.status_changed'
                  | 'conversation.snoozed'
                  | 'conversation.unsnoozed'
                  | 'conversation.resolved'
                  | 'conversation.closed'
                  | 'conversation.reopened'
                  | 'conversation.tags_changed'
                  | 'conversation.handoff_requested'
                  | 'conversation.merged'
                  | 'message.received'
                  | 'message.created'
                  | 'message.sent'
                  | 'message.delivered'
                  | 'message.read'
                  | 'message.failed'
                  | 'message.updated'
                  | 'message.deleted'
                  | 'customer.created'
                  | 'customer.updated'
                  | 'customer.merged'
                  | 'conversation.unanswered'
                  | 'conversation.unassigned_for';
                /**
                 * The event, or the message or conversation that time has run from.
                 */
                subject_id: string;
                conversation_id: string | null;
                customer_id: string | null;
                outcome: 'done' | 'failed' | 'skipped';
                reason: string | null;
                actions: {
                  type: string;
                  outcome: 'done' | 'failed' | 'skipped';
                  reason: string | null;
                }[];
                created_at: string;
              }[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/automation-rules/{id}/dry-run': {
    /**
     * See what a rule would make of a conversation; nothing is done
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            conversation_id: string;
          };
        };
      };
      responses: {
        /**
         * Each occasion
         */
        200: {
          content: {
            'application/json': {
              would_run: boolean;
              occasions: {
                message_id: string | null;
                at: string;
                would_run: boolean;
                conditions: {
                  field: string;
                  operator: string;
                  value?: unknown;
                  actual?: unknown;
                  holds: boolean;
                }[];
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/customers': {
    /**
     * List or look up customers, newest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          /**
           * In name, emails, phones and external id, or a whole address on a channel. One or two letters are looked for where words begin and end.
           */
          q?: string;
          /**
           * Any of their emails, however it is capitalised.
           */
          email?: string;
          /**
           * Any of their phones, however it is written.
           */
          phone?: string;
          /**
           * The id that you gave the customer.
           */
          external_id?: string;
          /**
           * Their address on a channel: a chat id, a number, a visitor.
           */
          address?: string;
          /**
           * Only those with an address on this channel.
           */
          channel_id?: string;
          /**
           * `name:value`, as often as wanted: customers that have all of these custom attributes.
           */
          custom_attribute?: string | string[];
          is_blocked?: 'true' | 'false';
        };
      };
      responses: {
        /**
         * A page of customers
         */
        200: {
          content: {
            'application/json': {
              data: {
                id: string;
                business_id: string;
                name: string | null;
                email: string | null;
                phone: string | null;
                external_id: string | null;
                custom_attributes: {
                  [k: string]: unknown;
                };
                created_at: string;
                updated_at: string;
                /**
                 * Every email that is known, the first one being `email`.
                 */
                emails: string[];
                /**
                 * Every phone that is known, in E.164 where it is international.
                 */
                phones: string[];
                /**
                 * The addresses that the customer has on channels.
                 */
                identities: {
                  channel_id: string;
                  kind: string;
                  address: string;
                }[];
                /**
                 * Since when what this person writes is kept raw only.
                 */
                blocked_at: string | null;
                merged_into_id: string | null;
                /**
                 * The customers that were merged into this one.
                 */
                merged_from: string[];
              }[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Create a customer
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name?: string | null;
            email?: string | null;
            phone?: string | null;
            /**
             * Every email, replacing those that are known; the first is `email` unless that is in it.
             *
             * @maxItems 20
             */
            emails?: string[];
            /**
             * Every phone, replacing those that are known.
             *
             * @maxItems 20
             */
            phones?: string[];
            external_id?: string | null;
            custom_attributes?: {
              [k: string]: unknown;
            };
          };
        };
      };
      responses: {
        /**
         * The new customer
         */
        201: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              name: string | null;
              email: string | null;
              phone: string | null;
              external_id: string | null;
              custom_attributes: {
                [k: string]: unknown;
              };
              created_at: string;
              updated_at: string;
              /**
               * Every email that is known, the first one being `email`.
               */
              emails: string[];
              /**
               * Every phone that is known, in E.164 where it is international.
               */
              phones: string[];
              /**
               * The addresses that the customer has on channels.
               */
              identities: {
                channel_id: string;
                kind: string;
                address: string;
              }[];
              /**
               * Since when what this person writes is kept raw only.
               */
              blocked_at: string | null;
              merged_into_id: string | null;
              /**
               * The customers that were merged into this one.
               */
              merged_from: string[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/customers/{id}': {
    /**
     * A customer with the addresses they are known by
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The customer
         */
        200: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              name: string | null;
              email: string | null;
              phone: string | null;
              external_id: string | null;
              custom_attributes: {
                [k: string]: unknown;
              };
              created_at: string;
              updated_at: string;
              /**
               * Every email that is known, the first one being `email`.
               */
              emails: string[];
              /**
               * Every phone that is known, in E.164 where it is international.
               */
              phones: string[];
              /**
               * The addresses that the customer has on channels.
               */
              identities: {
                channel_id: string;
                kind: string;
                address: string;
              }[];
              /**
               * Since when what this person writes is kept raw only.
               */
              blocked_at: string | null;
              merged_into_id: string | null;
              /**
               * The customers that were merged into this one.
               */
              merged_from: string[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change a customer; custom attributes are merged in, null takes one away
     */
    patch: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name?: string | null;
            email?: string | null;
            phone?: string | null;
            /**
             * Every email, replacing those that are known; the first is `email` unless that is in it.
             *
             * @maxItems 20
             */
            emails?: string[];
            /**
             * Every phone, replacing those that are known.
             *
             * @maxItems 20
             */
            phones?: string[];
            external_id?: string | null;
            custom_attributes?: {
              [k: string]: unknown;
            };
          };
        };
      };
      responses: {
        /**
         * The customer
         */
        200: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              name: string | null;
              email: string | null;
              phone: string | null;
              external_id: string | null;
              custom_attributes: {
                [k: string]: unknown;
              };
              created_at: string;
              updated_at: string;
              /**
               * Every email that is known, the first one being `email`.
               */
              emails: string[];
              /**
               * Every phone that is known, in E.164 where it is international.
               */
              phones: string[];
              /**
               * The addresses that the customer has on channels.
               */
              identities: {
                channel_id: string;
                kind: string;
                address: string;
              }[];
              /**
               * Since when what this person writes is kept raw only.
               */
              blocked_at: string | null;
              merged_into_id: string | null;
              /**
               * The customers that were merged into this one.
               */
              merged_from: string[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change a customer; custom attributes are merged in, null takes one away
     */
    put: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name?: string | null;
            email?: string | null;
            phone?: string | null;
            /**
             * Every email, replacing those that are known; the first is `email` unless that is in it.
             *
             * @maxItems 20
             */
            emails?: string[];
            /**
             * Every phone, replacing those that are known.
             *
             * @maxItems 20
             */
            phones?: string[];
            external_id?: string | null;
            custom_attributes?: {
              [k: string]: unknown;
            };
          };
        };
      };
      responses: {
        /**
         * The customer
         */
        200: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              name: string | null;
              email: string | null;
              phone: string | null;
              external_id: string | null;
              custom_attributes: {
                [k: string]: unknown;
              };
              created_at: string;
              updated_at: string;
              /**
               * Every email that is known, the first one being `email`.
               */
              emails: string[];
              /**
               * Every phone that is known, in E.164 where it is international.
               */
              phones: string[];
              /**
               * The addresses that the customer has on channels.
               */
              identities: {
                channel_id: string;
                kind: string;
                address: string;
              }[];
              /**
               * Since when what this person writes is kept raw only.
               */
              blocked_at: string | null;
              merged_into_id: string | null;
              /**
               * The customers that were merged into this one.
               */
              merged_from: string[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Erase a person
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * They are erased; a long history is still being emptied
         */
        202: {};
        /**
         * Nothing is left of them
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/customers/{id}/consents': {
    /**
     * What the customer said about being written to, newest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * A page of statements
         */
        200: {
          content: {
            'application/json': {
              data: Consent[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Keep what the customer told one of the team
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            channel_id: string;
            consent: 'stop' | 'start';
          };
        };
      };
      responses: {
        /**
         * The statements, one for each address
         */
        201: {
          content: {
            'application/json': {
              data: Consent[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/customers/{id}/merge': {
    /**
     * Merge another customer into this one
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            from: string;
          };
        };
      };
      responses: {
        /**
         * The customer
         */
        200: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              name: string | null;
              email: string | null;
              phone: string | null;
              external_id: string | null;
              custom_attributes: {
                [k: string]: unknown;
              };
              created_at: string;
              updated_at: string;
              /**
               * Every email that is known, the first one being `email`.
               */
              emails: string[];
              /**
               * Every phone that is known, in E.164 where it is international.
               */
              phones: string[];
              /**
               * The addresses that the customer has on channels.
               */
              identities: {
                channel_id: string;
                kind: string;
                address: string;
              }[];
              /**
               * Since when what this person writes is kept raw only.
               */
              blocked_at: string | null;
              merged_into_id: string | null;
              /**
               * The customers that were merged into this one.
               */
              merged_from: string[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Undo the merge of a customer: `id` is the one that was merged
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The customer
         */
        200: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              name: string | null;
              email: string | null;
              phone: string | null;
              external_id: string | null;
              custom_attributes: {
                [k: string]: unknown;
              };
              created_at: string;
              updated_at: string;
              /**
               * Every email that is known, the first one being `email`.
               */
              emails: string[];
              /**
               * Every phone that is known, in E.164 where it is international.
               */
              phones: string[];
              /**
               * The addresses that the customer has on channels.
               */
              identities: {
                channel_id: string;
                kind: string;
                address: string;
              }[];
              /**
               * Since when what this person writes is kept raw only.
               */
              blocked_at: string | null;
              merged_into_id: string | null;
              /**
               * The customers that were merged into this one.
               */
              merged_from: string[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/customers/{id}/messages': {
    /**
     * What was said with a customer on every channel, newest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          /**
           * Lines of the timeline too.
           */
          include?: 'activity';
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * A page of messages
         */
        200: {
          content: {
            'application/json': {
              data: Message[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/customers/{id}/export': {
    /**
     * Everything that is kept of a person, as one archive
     */
    get: {
      parameters: {
        query?: {
          format?: 'json' | 'zip';
          include?: 'internal';
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The archive
         */
        200: {
          content: {
            'application/json': {
              exported_at: string;
              customer: {
                id: string;
                business_id: string;
                name: string | null;
                email: string | null;
                phone: string | null;
                external_id: string | null;
                custom_attributes: {
                  [k: string]: unknown;
                };
                created_at: string;
                updated_at: string;
                /**
                 * Every email that is known, the first one being `email`.
                 */
                emails: string[];
                /**
                 * Every phone that is known, in E.164 where it is international.
                 */
                phones: string[];
                /**
                 * The addresses that the customer has on channels.
                 */
                identities: {
                  channel_id: string;
                  kind: string;
                  address: string;
                }[];
                /**
                 * Since when what this person writes is kept raw only.
                 */
                blocked_at: string | null;
                merged_into_id: string | null;
                /**
                 * The customers that were merged into this one.
                 */
                merged_from: string[];
              };
              /**
               * As they were before they were merged.
               */
              merged_customers: {
                id: string;
                business_id: string;
                name: string | null;
                email: string | null;
                phone: string | null;
                external_id: string | null;
                custom_attributes: {
                  [k: string]: unknown;
                };
                created_at: string;
                updated_at: string;
                /**
                 * Every email that is known, the first one being `email`.
                 */
                emails: string[];
                /**
                 * Every phone that is known, in E.164 where it is international.
                 */
                phones: string[];
                /**
                 * The addresses that the customer has on channels.
                 */
                identities: {
                  channel_id: string;
                  kind: string;
                  address: string;
                }[];
                /**
                 * Since when what this person writes is kept raw only.
                 */
                blocked_at: string | null;
                merged_into_id: string | null;
                /**
                 * The customers that were merged into this one.
                 */
                merged_from: string[];
              }[];
              identities: {
                channel_id: string;
                channel_type: string;
                channel_name: string;
                kind: string;
                address: string;
                profile: {
                  [k: string]: unknown;
                };
                created_at: string;
              }[];
              consents: {
                channel_id: string;
                address: string;
                consent: string;
                source: string;
                said_at: string;
              }[];
              conversations: {
                id: string;
                business_id: string;
                customer_id: string | null;
                assignee_id: string | null;
                /**
                 * The team it was given to.
                 */
                team_id: string | null;
                status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
                channel_type: string;
                channel_id: string;
                subject: string | null;
                priority: 'low' | 'normal' | 'high' | 'urgent' | null;
                tags: string[];
                custom_attributes: {
                  [k: string]: unknown;
                };
                needs_human_handoff: boolean;
                handoff_reason: string | null;
                /**
                 * Since when it waits for a person.
                 */
                handoff_requested_at: string | null;
                snoozed_until: string | null;
                reply_window_expires_at: string | null;
                last_message_at: string;
                last_message_seq: number;
                unread_count: number;
                merged_into_id: string | null;
                created_at: string;
                updated_at: string;
                first_response_at: string | null;
                resolved_at: string | null;
                closed_at: string | null;
                customer: Customer;
                ratings: Rating[];
                /**
                 * With `include=internal`.
                 */
                drafts?: Draft[];
                messages: Message[];
              }[];
            };
            'application/zip': string;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/blocked-senders': {
    /**
     * List whom the business blocks, the last one first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          kind?: 'person' | 'address' | 'domain';
          customer_id?: string;
        };
      };
      responses: {
        /**
         * A page of blocked senders
         */
        200: {
          content: {
            'application/json': {
              data: {
                id: string;
                kind: 'person' | 'address' | 'domain';
                customer_id: string | null;
                address: string | null;
                domain: string | null;
                reason: string | null;
                /**
                 * Who blocked them.
                 */
                agent_id: string | null;
                created_at: string;
              }[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Block a person, an address or a domain on every channel
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            customer_id?: string | null;
            /**
             * An email, a phone number with its country, or any id of a channel.
             */
            address?: string | null;
            /**
             * Of email addresses; those below it too.
             */
            domain?: string | null;
            reason?: string | null;
          };
        };
      };
      responses: {
        /**
         * The blocked sender
         */
        201: {
          content: {
            'application/json': {
              id: string;
              kind: 'person' | 'address' | 'domain';
              customer_id: string | null;
              address: string | null;
              domain: string | null;
              reason: string | null;
              /**
               * Who blocked them.
               */
              agent_id: string | null;
              created_at: string;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/blocked-senders/{id}': {
    /**
     * Let a blocked sender in again
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * They are let in again
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/events': {
    /**
     * What happened, in one order: nothing ever appears behind a cursor already given out
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * A cursor, or `now`; without it from the oldest event kept.
           */
          after?: string;
          /**
           * The same as `after`, as every other list calls it.
           */
          cursor?: string;
          /**
           * One type, or several with commas; all of them when it is empty.
           */
          types?: string;
        };
      };
      responses: {
        /**
         * Events, oldest first; keep `meta.next_cursor`, also where there is no more yet
         */
        200: {
          content: {
            'application/json': {
              data: Event[];
              meta: {
                next_cursor: string;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/event-types': {
    /**
     * Every type of event, with the JSON schema of its payload
     */
    get: {
      parameters: {};
      responses: {
        /**
         * The types, in no order
         */
        200: {
          content: {
            'application/json': {
              data: {
                type:
                  | 'conversation.created'
                  | 'conversation.updated'
                  | 'conversation.assigned'
                  | 'conversation.unassigned'
                  | 'conversation.status_changed'
                  | 'conversation.snoozed'
                  | 'conversation.unsnoozed'
                  | 'conversation.resolved'
                  | 'conversation.closed'
                  | 'conversation.reopened'
                  | 'conversation.tags_changed'
                  | 'conversation.handoff_requested'
                  | 'conversation.merged'
                  | 'message.received'
                  | 'message.created'
                  | 'message.sent'
                  | 'message.delivered'
                  | 'message.read'
                  | 'message.failed'
                  | 'message.updated'
                  | 'message.deleted'
                  | 'customer.created'
                  | 'customer.updated'
                  | 'customer.merged'
                  | 'customer.deleted'
                  | 'channel.error'
                  | 'endpoint.failing'
                  | 'endpoint.recovered'
                  | 'endpoint.disabled'
                  | 'delivery.failed'
                  | 'agent.status_changed'
                  | 'draft.created'
                  | 'draft.updated';
                summary: string;
                /**
                 * The JSON schema (2020-12) of the payload, version 1.
                 */
                schema: {
                  [k: string]: unknown;
                };
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints': {
    /**
     * List the endpoints, newest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
      };
      responses: {
        /**
         * A page of endpoints
         */
        200: {
          content: {
            'application/json': {
              data: WebhookEndpoint[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Subscribe a URL to events
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * A public http(s) address.
             */
            url: string;
            /**
             * Which events it hears: `["*"]`, kinds such as `message.*`, or any of conversation.created, conversation.updated, conversation.assigned, conversation.unassigned, conversation.status_changed, conversation.snoozed, conversation.unsnoozed, conversation.resolved, conversation.closed, conversation.reopened, conversation.tags_changed, conversation.handoff_requested, conversation.merged, message.received, message.created, message.sent, message.delivered, message.read, message.failed, message.updated, message.deleted, customer.created, customer.updated, customer.merged, customer.deleted, channel.error, endpoint.failing, endpoint.recovered, endpoint.disabled, delivery.failed, agent.status_changed, draft.created, draft.updated.
             *
             * @maxItems 34
             */
            events: string[];
            /**
             * Only events with these values in their `data`, by path: `{"message.sender_type": "customer", "conversation.channel_id": ["ID", "ID"]}`.
             */
            filter?: {
              [k: string]: string | number | boolean | null | (string | number | boolean | null)[];
            } | null;
            description?: string | null;
            /**
             * `v1` (HMAC-SHA256) always, and `v1a` (ed25519) beside it.
             */
            signatures?: ('v1' | 'v1a')[];
            /**
             * Headers of your own, such as `Authorization`; kept encrypted, never shown again.
             */
            headers?: {
              [k: string]: string;
            } | null;
            /**
             * For mutual TLS: what the receiver is shown, as PEM, with the certificates that vouch for it. The key is kept encrypted and never shown again.
             */
            client_certificate?: {
              certificate: string;
              private_key: string;
            } | null;
            /**
             * One delivery after the other, of a `conversation` or of the whole `endpoint`: those behind a failed one wait for it.
             */
            order?: 'none' | 'conversation' | 'endpoint';
            /**
             * Requests under way at once, at most; 10 unless chosen.
             */
            concurrency?: number | null;
            /**
             * Deliveries a second, at most.
             */
            rate_limit?: number | null;
            is_active?: boolean;
            /**
             * A `whsec_` secret that the receiver already holds, such as of another system; else one is made.
             */
            secret?: string;
          };
        };
      };
      responses: {
        /**
         * The endpoint, and its secret for this once
         */
        201: {
          content: {
            'application/json': {
              id: string;
              business_id: string;
              url: string;
              events: string[];
              filter: {
                [k: string]: string | number | boolean | null | (string | number | boolean | null)[];
              } | null;
              description: string | null;
              signatures: ('v1' | 'v1a')[];
              /**
               * Their values are never shown again.
               */
              headers: {
                [k: string]: string;
              };
              /**
               * Shown to a receiver that asks for one; its key is never shown again.
               */
              client_certificate: {
                subject: string;
                fingerprint: string;
                expires_at: string;
              } | null;
              order: 'none' | 'conversation' | 'endpoint';
              concurrency: number | null;
              rate_limit: number | null;
              is_active: boolean;
              /**
               * Since when every try has failed.
               */
              failing_since: string | null;
              /**
               * When it will be switched off if every try goes on failing.
               */
              disables_at: string | null;
              /**
               * It fails, or asked for patience: nothing is tried before.
               */
              paused_until: string | null;
              disabled_at: string | null;
              /**
               * `failing`, or `gone` when it answered 410; null when a person switched it off.
               */
              disabled_reason: string | null;
              /**
               * From when on it missed events while it was off: `replay` delivers them.
               */
              missed_since: string | null;
              created_at: string;
              updated_at: string;
              /**
               * Verifies the signatures; shown this once.
               */
              secret: string;
              /**
               * Verifies the `v1a` signatures, where enabled.
               */
              public_key?: string;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}': {
    /**
     * Get one endpoint
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The endpoint
         */
        200: {
          content: {
            'application/json': WebhookEndpoint;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Change an endpoint; switching it on again forgives its failures
     */
    patch: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * A public http(s) address.
             */
            url?: string;
            /**
             * Which events it hears: `["*"]`, kinds such as `message.*`, or any of conversation.created, conversation.updated, conversation.assigned, conversation.unassigned, conversation.status_changed, conversation.snoozed, conversation.unsnoozed, conversation.resolved, conversation.closed, conversation.reopened, conversation.tags_changed, conversation.handoff_requested, conversation.merged, message.received, message.created, message.sent, message.delivered, message.read, message.failed, message.updated, message.deleted, customer.created, customer.updated, customer.merged, customer.deleted, channel.error, endpoint.failing, endpoint.recovered, endpoint.disabled, delivery.failed, agent.status_changed, draft.created, draft.updated.
             *
             * @maxItems 34
             */
            events?: string[];
            /**
             * Only events with these values in their `data`, by path: `{"message.sender_type": "customer", "conversation.channel_id": ["ID", "ID"]}`.
             */
            filter?: {
              [k: string]: string | number | boolean | null | (string | number | boolean | null)[];
            } | null;
            description?: string | null;
            /**
             * `v1` (HMAC-SHA256) always, and `v1a` (ed25519) beside it.
             */
            signatures?: ('v1' | 'v1a')[];
            /**
             * Headers of your own, such as `Authorization`; kept encrypted, never shown again.
             */
            headers?: {
              [k: string]: string;
            } | null;
            /**
             * For mutual TLS: what the receiver is shown, as PEM, with the certificates that vouch for it. The key is kept encrypted and never shown again.
             */
            client_certificate?: {
              certificate: string;
              private_key: string;
            } | null;
            /**
             * One delivery after the other, of a `conversation` or of the whole `endpoint`: those behind a failed one wait for it.
             */
            order?: 'none' | 'conversation' | 'endpoint';
            /**
             * Requests under way at once, at most; 10 unless chosen.
             */
            concurrency?: number | null;
            /**
             * Deliveries a second, at most.
             */
            rate_limit?: number | null;
            is_active?: boolean;
          };
        };
      };
      responses: {
        /**
         * The changed endpoint
         */
        200: {
          content: {
            'application/json': WebhookEndpoint;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Unsubscribe; what was still to be delivered is canceled
     */
    delete: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * It is gone
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/deliveries': {
    /**
     * The delivery log of an endpoint, newest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * `meta.next_cursor` of the page before; empty for the first.
           */
          cursor?: string;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
          status?: 'pending' | 'delivered' | 'failed' | 'canceled';
          event_type?:
            | 'conversation.created'
            | 'conversation.updated'
            | 'conversation.assigned'
            | 'conversation.unassigned'
            | 'conversation.status_changed'
            | 'conversation.snoozed'
            | 'conversation.unsnoozed'
            | 'conversation.resolved'
            | 'conversation.closed'
            | 'conversation.reopened'
            | 'conversation.tags_changed'
            | 'conversation.handoff_requested'
            | 'conversation.merged'
            | 'message.received'
            | 'message.created'
            | 'message.sent'
            | 'message.delivered'
            | 'message.read'
            | 'message.failed'
            | 'message.updated'
            | 'message.deleted'
            | 'customer.created'
            | 'customer.updated'
            | 'customer.merged'
            | 'customer.deleted'
            | 'channel.error'
            | 'endpoint.failing'
            | 'endpoint.recovered'
            | 'endpoint.disabled'
            | 'delivery.failed'
            | 'agent.status_changed'
            | 'draft.created'
            | 'draft.updated'
            | 'endpoint.test';
          event_id?: string;
          conversation_id?: string;
          trigger?: 'event' | 'retry' | 'recover' | 'replay' | 'test';
          /**
           * What the last try ended with.
           */
          outcome?:
            | 'delivered'
            | 'dns'
            | 'connect'
            | 'tls'
            | 'timeout'
            | 'blocked'
            | 'proxy'
            | 'http_3xx'
            | 'http_4xx'
            | 'http_5xx'
            | 'too_large'
            | 'unknown';
          status_code?: number;
          since?: string;
          until?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * A page of deliveries
         */
        200: {
          content: {
            'application/json': {
              data: WebhookDelivery[];
              meta: {
                next_cursor: string | null;
                has_more: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/deliveries/{deliveryId}': {
    /**
     * One delivery with what was sent and what came back on each try
     */
    get: {
      parameters: {
        path: {
          id: string;
          deliveryId: string;
        };
      };
      responses: {
        /**
         * The delivery
         */
        200: {
          content: {
            'application/json': {
              id: string;
              endpoint_id: string;
              /**
               * The `webhook-id` of every try.
               */
              event_id: string;
              event_type: string;
              conversation_id: string | null;
              /**
               * The event itself, or who asked for it again.
               */
              trigger: 'event' | 'retry' | 'recover' | 'replay' | 'test';
              status: 'pending' | 'delivered' | 'failed' | 'canceled';
              /**
               * Tries of the schedule under way.
               */
              tries: number;
              /**
               * All attempts ever made.
               */
              attempt_count: number;
              next_attempt_at: string | null;
              last_outcome: string | null;
              last_status_code: number | null;
              last_duration_ms: number | null;
              created_at: string;
              delivered_at: string | null;
              /**
               * The exact text that was signed and sent.
               */
              body: string;
              attempts: {
                id: string;
                number: number;
                started_at: string;
                finished_at: string | null;
                duration_ms: number | null;
                /**
                 * Null while under way; `unknown` when a crash cut it.
                 */
                outcome: string | null;
                status_code: number | null;
                message: string | null;
                /**
                 * The headers without the signatures and without those of your own.
                 */
                request: {
                  method: 'POST';
                  url: string;
                  headers: {
                    [k: string]: string;
                  };
                } | null;
                response_headers: {
                  [k: string]: string;
                } | null;
                response_excerpt: string | null;
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/deliveries/{deliveryId}/retry': {
    /**
     * Deliver again now, under the same webhook-id
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
          deliveryId: string;
        };
      };
      responses: {
        /**
         * The delivery, which is due again
         */
        200: {
          content: {
            'application/json': WebhookDelivery;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/deliveries/{deliveryId}/skip': {
    /**
     * Give a delivery up, so that those behind it in an order go on
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
          deliveryId: string;
        };
      };
      responses: {
        /**
         * The delivery
         */
        200: {
          content: {
            'application/json': WebhookDelivery;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/test': {
    /**
     * Send an `endpoint.test` event to the endpoint; its delivery tells the outcome
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The delivery
         */
        202: {
          content: {
            'application/json': WebhookDelivery;
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/recover': {
    /**
     * Deliver again everything of a time that failed or was canceled, the oldest first
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            since: string;
            until?: string;
            /**
             * How fast they become due; what happens meanwhile is delivered as ever.
             */
            per_second?: number;
          };
        };
      };
      responses: {
        /**
         * How many are due again
         */
        200: {
          content: {
            'application/json': {
              recovered: number;
              /**
               * Whether more than one call brings back is left: call again.
               */
              has_more: boolean;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/replay': {
    /**
     * Deliver what the endpoint missed while it was off, or before it was there
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody?: {
        content: {
          'application/json': {
            /**
             * By default since it was switched off.
             */
            since?: string;
            until?: string;
            /**
             * How fast they become due; what happens meanwhile is delivered as ever.
             */
            per_second?: number;
          };
        };
      };
      responses: {
        /**
         * How many are due
         */
        200: {
          content: {
            'application/json': {
              replayed: number;
              /**
               * Whether more than one call brings back is left: call again.
               */
              has_more: boolean;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/stats': {
    /**
     * What became of the deliveries of an endpoint, how fast they were, and what waits
     */
    get: {
      parameters: {
        query?: {
          /**
           * By default the last 24 hours.
           */
          since?: string;
        };
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * Its numbers
         */
        200: {
          content: {
            'application/json': {
              since: string;
              /**
               * Of the events since then, by what became of them.
               */
              deliveries: {
                delivered: number;
                pending: number;
                failed: number;
                canceled: number;
              };
              attempts: number;
              /**
               * Delivered ones of those that ended, from 0 to 1; null without any.
               */
              success_rate: number | null;
              /**
               * Deliveries whose last try failed, by its outcome.
               */
              failures: {
                [k: string]: number;
              };
              /**
               * How long the answers took that were a success.
               */
              duration_ms: {
                p50: number | null;
                p95: number | null;
                p99: number | null;
              };
              /**
               * What is still to be delivered, of whatever age.
               */
              backlog: {
                pending: number;
                due: number;
                oldest_due_at: string | null;
                next_attempt_at: string | null;
              };
              hours: {
                hour: string;
                delivered: number;
                failed: number;
                pending: number;
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/secret': {
    /**
     * Every secret that still signs, the current one first; the look is audited
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The secrets
         */
        200: {
          content: {
            'application/json': {
              secret: string;
              secrets: {
                kind: 'v1' | 'v1a';
                /**
                 * The `whsec_` secret of a v1 signature.
                 */
                secret: string | null;
                /**
                 * The `whpk_` key of a v1a signature.
                 */
                public_key: string | null;
                created_at: string;
                /**
                 * Null for the current one.
                 */
                expires_at: string | null;
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webhook-endpoints/{id}/rotate-secret': {
    /**
     * Replace the secret; for an overlap both sign
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody?: {
        content: {
          'application/json': {
            /**
             * A `whsec_` secret that the receiver already holds, such as of another system; else one is made.
             */
            secret?: string;
            /**
             * `v1a` adds an ed25519 signature.
             */
            kind?: 'v1' | 'v1a';
            /**
             * How long the old secret goes on signing beside the new one.
             */
            overlap_seconds?: number;
          };
        };
      };
      responses: {
        /**
         * The new secret, and those that still sign
         */
        200: {
          content: {
            'application/json': {
              secret: string;
              secrets: {
                kind: 'v1' | 'v1a';
                /**
                 * The `whsec_` secret of a v1 signature.
                 */
                secret: string | null;
                /**
                 * The `whpk_` key of a v1a signature.
                 */
                public_key: string | null;
                created_at: string;
                /**
                 * Null for the current one.
                 */
                expires_at: string | null;
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webchat/{channel_id}/config': {
    /**
     * What a widget shows before anybody has written; needs no key
     */
    get: {
      parameters: {
        path: {
          channel_id: string;
        };
      };
      responses: {
        /**
         * How the widget looks
         */
        200: {
          content: {
            'application/json': {
              name: string;
              welcome_heading: string;
              welcome_tagline: string;
              primary_color: string;
              logo_url: string | null;
              show_online_badge: boolean;
              channel_id: string;
              business_id: string;
              /**
               * Whether an agent is live; null where the badge is off
               */
              is_online: boolean | null;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webchat/{channel_id}/upload': {
    /**
     * Upload a file as a visitor, with the visitor token as Bearer
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          channel_id: string;
        };
      };
      requestBody: {
        content: {
          'multipart/form-data': {
            file?: string;
          };
        };
      };
      responses: {
        /**
         * Where it is; put its `url` or `id` into `attachments` of one `client_message` within a day
         */
        201: {
          content: {
            'application/json': {
              id: string;
              url: string;
              name: string;
              type: string;
              size: number;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/webchat/{channel_id}/session': {
    /**
     * End the session of a visitor token: it resumes nothing any more
     */
    delete: {
      parameters: {
        path: {
          channel_id: string;
        };
      };
      responses: {
        /**
         * The session has ended
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/v1/realtime/tickets': {
    /**
     * A ticket for one plain WebSocket
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      responses: {
        /**
         * The ticket
         */
        201: {
          content: {
            'application/json': {
              ticket: string;
              expires_at: string;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/api/support/analytics/conversations': {
    /**
     * All conversations in a few numbers
     */
    get: {
      parameters: {};
      responses: {
        /**
         * Counts, and averages in seconds
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: SupportAnalytics;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/conversations': {
    /**
     * List conversations, newest activity first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          page?: number;
          /**
           * One status, or several with commas.
           */
          status?: string;
          inboxId?: string;
          assigneeId?: 'none' | string;
          visitorId?: string;
        };
      };
      responses: {
        /**
         * A page of conversations, without their messages
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: SupportConversation[];
              meta: {
                page: number;
                limit: number;
                total: number;
                hasMore: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/conversations/{id}': {
    /**
     * A conversation with its visitor and messages
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: {
                id: string;
                status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
                inboxId: string;
                visitor: {
                  id: string;
                  name: string | null;
                  email: string | null;
                } | null;
                assignee: {
                  id: string;
                  name: string | null;
                } | null;
                tags: string[];
                createdAt: string;
                updatedAt: string;
                messages: SupportMessage[];
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
    /**
     * Set the status; with `snoozed` also `until`
     */
    put: {
      parameters: {
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
            until?: string;
          };
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: SupportConversation;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/conversations/{id}/assign': {
    /**
     * Assign a conversation, or unassign it with null
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            assigneeId: string | null;
          };
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: SupportConversation;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/conversations/{id}/snooze': {
    /**
     * Hide a conversation until a time; one that has passed wakes it at once
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            until: string;
          };
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: SupportConversation;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/conversations/{id}/tags': {
    /**
     * Add tags
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * @minItems 1
             * @maxItems 50
             */
            tags: string[];
          };
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: SupportConversation;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/conversations/{id}/tags/{tagId}': {
    /**
     * Remove a tag; its id is the tag's name
     */
    delete: {
      parameters: {
        path: {
          id: string;
          tagId: string;
        };
      };
      responses: {
        /**
         * The conversation
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: SupportConversation;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/conversations/{id}/reply': {
    /**
     * Reply, or add a note
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            message: string;
            /**
             * A reply, unless told otherwise.
             */
            type?: 'reply' | 'note' | null;
            /**
             * Addresses: what an upload answered, an attachment of ours, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?:
              | (
                  | string
                  | {
                      id?: string | null;
                      url?: string | null;
                      name?: string | null;
                      type?: string | null;
                      size?: number | null;
                    }
                )[]
              | null;
          };
        };
      };
      responses: {
        /**
         * The message, on its way
         */
        202: {
          content: {
            'application/json': {
              success: true;
              data: SupportMessage;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/conversations/{id}/messages': {
    /**
     * Send a text, attachments, or a card whose object is the content
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
        path: {
          id: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            type?: 'text' | 'attachment' | 'card' | 'note' | 'template' | null;
            /**
             * The text; with type `card` the card itself may stand here.
             */
            content?: string | Card | null;
            /**
             * Addresses: what an upload answered, an attachment of ours, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?:
              | (
                  | string
                  | {
                      id?: string | null;
                      url?: string | null;
                      name?: string | null;
                      type?: string | null;
                      size?: number | null;
                    }
                )[]
              | null;
          };
        };
      };
      responses: {
        /**
         * The message, on its way
         */
        202: {
          content: {
            'application/json': {
              success: true;
              data: SupportMessage;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/visitors/{id}': {
    /**
     * A visitor: whom the native dialect calls a customer
     */
    get: {
      parameters: {
        path: {
          id: string;
        };
      };
      responses: {
        /**
         * The visitor
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: SupportVisitor;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/webhooks': {
    /**
     * Subscribe a URL to events, with this dialect's payload
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * A public http(s) address.
             */
            url: string;
            /**
             * Which events it hears: `["*"]`, kinds such as `message.*`, or any of conversation.created, conversation.updated, conversation.assigned, conversation.unassigned, conversation.status_changed, conversation.snoozed, conversation.unsnoozed, conversation.resolved, conversation.closed, conversation.reopened, conversation.tags_changed, conversation.handoff_requested, conversation.merged, message.received, message.created, message.sent, message.delivered, message.read, message.failed, message.updated, message.deleted, customer.created, customer.updated, customer.merged, customer.deleted, channel.error, endpoint.failing, endpoint.recovered, endpoint.disabled, delivery.failed, agent.status_changed, draft.created, draft.updated.
             *
             * @maxItems 34
             */
            events: string[];
          };
        };
      };
      responses: {
        /**
         * The endpoint, and its secret for this once
         */
        201: {
          content: {
            'application/json': {
              success: true;
              data: {
                id: string;
                url: string;
                events: string[];
                isActive: boolean;
                /**
                 * Verifies the signatures; shown this once.
                 */
                secret: string;
                createdAt: string;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/canned-responses': {
    /**
     * List canned responses, oldest first
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
      };
      responses: {
        /**
         * A page of canned responses
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: {
                id: string;
                title: string;
                shortcut: string | null;
                content: string;
                createdAt: string;
              }[];
              meta: {
                page: number;
                limit: number;
                total: number;
                hasMore: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
    /**
     * Write a canned response
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            title: string;
            /**
             * Unique in the business; capitals and the slash make no difference.
             */
            shortcut?: string | null;
            /**
             * With variables such as `{{visitor.name}}` or `{{visitor.plan | your}}`.
             */
            content: string;
            /**
             * Addresses: what an upload answered, or any public http(s) address.
             *
             * @maxItems 20
             */
            attachments?: (
              | string
              | {
                  id?: string | null;
                  url?: string | null;
                  name?: string | null;
                  type?: string | null;
                  size?: number | null;
                }
            )[];
          };
        };
      };
      responses: {
        /**
         * The canned response
         */
        201: {
          content: {
            'application/json': {
              success: true;
              data: {
                id: string;
                title: string;
                shortcut: string | null;
                content: string;
                createdAt: string;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/api/support/automation-rules': {
    /**
     * List automation rules, in the order in which they run
     */
    get: {
      parameters: {
        query?: {
          /**
           * How many, 1 to 100; more is read as 100.
           */
          limit?: number;
          /**
           * Counts from 1; `cursor` is faster.
           */
          page?: number;
        };
      };
      responses: {
        /**
         * A page of rules
         */
        200: {
          content: {
            'application/json': {
              success: true;
              data: {
                id: string;
                name: string | null;
                trigger:
                  | 'conversation.created'
                  | 'conversation.updated'
                  | 'conversation.assigned'
                  | 'conversation.unassigned'
                  | 'conversation.status_changed'
                  | 'conversation.snoozed'
                  | 'conversation.unsnoozed'
                  | 'conversation.resolved'
                  | 'conversation.closed'
                  | 'conversation.reopened'
                  | 'conversation.tags_changed'
                  | 'conversation.handoff_requested'
                  | 'conversation.merged'
                  | 'message.received'
                  | 'message.created'
                  | 'message.sent'
                  | 'message.delivered'
                  | 'message.read'
                  | 'message.failed'
                  | 'message.updated'
                  | 'message.deleted'
                  | 'customer.created'
                  | 'customer.updated'
                  | 'customer.merged'
                  | 'conversation.unanswered'
                  | 'conversation.unassigned_for';
                conditions: {
                  field: string;
                  operator: string;
                  value?: unknown;
                }[];
                actions: {
                  type: string;
                  [k: string]: unknown;
                }[];
                afterMinutes: number | null;
                isActive: boolean;
                createdAt: string;
              }[];
              meta: {
                page: number;
                limit: number;
                total: number;
                hasMore: boolean;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
    /**
     * Make an automation rule
     */
    post: {
      parameters: {
        header?: {
          /**
           * For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.
           */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: {
        content: {
          'application/json': {
            name?: string | null;
            trigger:
              | 'conversation.created'
              | 'conversation.updated'
              | 'conversation.assigned'
              | 'conversation.unassigned'
              | 'conversation.status_changed'
              | 'conversation.snoozed'
              | 'conversation.unsnoozed'
              | 'conversation.resolved'
              | 'conversation.closed'
              | 'conversation.reopened'
              | 'conversation.tags_changed'
              | 'conversation.handoff_requested'
              | 'conversation.merged'
              | 'message.received'
              | 'message.created'
              | 'message.sent'
              | 'message.delivered'
              | 'message.read'
              | 'message.failed'
              | 'message.updated'
              | 'message.deleted'
              | 'customer.created'
              | 'customer.updated'
              | 'customer.merged'
              | 'conversation.unanswered'
              | 'conversation.unassigned_for';
            /**
             * All of them must hold.
             *
             * @maxItems 50
             */
            conditions?: {
              /**
               * Such as `visitor.plan`; GET /automation-rules/vocabulary lists them.
               */
              field: string;
              operator:
                | 'equals'
                | 'notEquals'
                | 'contains'
                | 'notContains'
                | 'startsWith'
                | 'endsWith'
                | 'in'
                | 'notIn'
                | 'greaterThan'
                | 'lessThan'
                | 'exists'
                | 'notExists';
              value?: string | number | boolean | null | (string | number | boolean | null)[];
            }[];
            /**
             * Done in this order.
             *
             * @minItems 1
             * @maxItems 20
             */
            actions: (
              | {
                  type: 'assign';
                  assigneeId: string;
                }
              | {
                  type: 'unassign';
                }
              | {
                  type: 'addTag';
                  tag: string;
                }
              | {
                  type: 'removeTag';
                  tag: string;
                }
              | {
                  type: 'reply';
                  message: string;
                }
              | {
                  type: 'note';
                  message: string;
                }
              | {
                  type: 'setStatus';
                  status: 'open' | 'pending' | 'resolved' | 'closed';
                }
              | {
                  type: 'snooze';
                  minutes: number;
                }
              | {
                  type: 'setPriority';
                  priority: 'low' | 'normal' | 'high' | 'urgent' | null;
                }
              | {
                  type: 'setAttribute';
                  name: string;
                  /**
                   * Null takes it away.
                   */
                  value: string | number | boolean | null;
                }
              | {
                  type: 'setVisitorAttribute';
                  name: string;
                  /**
                   * Null takes it away.
                   */
                  value: string | number | boolean | null;
                }
              | {
                  type: 'handoff';
                  reason?: string | null;
                }
              | {
                  type: 'stop';
                }
            )[];
            afterMinutes?: number | null;
            isActive?: boolean;
          };
        };
      };
      responses: {
        /**
         * The rule
         */
        201: {
          content: {
            'application/json': {
              success: true;
              data: {
                id: string;
                name: string | null;
                trigger:
                  | 'conversation.created'
                  | 'conversation.updated'
                  | 'conversation.assigned'
                  | 'conversation.unassigned'
                  | 'conversation.status_changed'
                  | 'conversation.snoozed'
                  | 'conversation.unsnoozed'
                  | 'conversation.resolved'
                  | 'conversation.closed'
                  | 'conversation.reopened'
                  | 'conversation.tags_changed'
                  | 'conversation.handoff_requested'
                  | 'conversation.merged'
                  | 'message.received'
                  | 'message.created'
                  | 'message.sent'
                  | 'message.delivered'
                  | 'message.read'
                  | 'message.failed'
                  | 'message.updated'
                  | 'message.deleted'
                  | 'customer.created'
                  | 'customer.updated'
                  | 'customer.merged'
                  | 'conversation.unanswered'
                  | 'conversation.unassigned_for';
                conditions: {
                  field: string;
                  operator: string;
                  value?: unknown;
                }[];
                actions: {
                  type: string;
                  [k: string]: unknown;
                }[];
                afterMinutes: number | null;
                isActive: boolean;
                createdAt: string;
              };
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': SupportError;
          };
        };
      };
    };
  };
  '/webhooks/{type}/{channelId}': {
    /**
     * Where a provider calls us
     */
    post: {
      parameters: {
        path: {
          type: string;
          channelId: string;
        };
      };
      responses: {
        /**
         * Stored, or known already. A channel `api` is told where each item went; others get an empty answer.
         */
        200: {
          content: {
            'application/json': {
              data: {
                message_id: string | null;
                conversation_id: string | null;
                seq: number | null;
                duplicate: boolean;
              }[];
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
    /**
     * Where a provider checks our door
     */
    get: {
      parameters: {
        path: {
          type: string;
          channelId: string;
        };
      };
      responses: {
        /**
         * The challenge
         */
        200: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/webchat/{channel_id}/config': {
    /**
     * What a widget shows before anybody has written; needs no key
     */
    get: {
      parameters: {
        path: {
          channel_id: string;
        };
      };
      responses: {
        /**
         * How the widget looks
         */
        200: {
          content: {
            'application/json': {
              name: string;
              welcome_heading: string;
              welcome_tagline: string;
              primary_color: string;
              logo_url: string | null;
              show_online_badge: boolean;
              channel_id: string;
              business_id: string;
              /**
               * Whether an agent is live; null where the badge is off
               */
              is_online: boolean | null;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/webchat/{channel_id}/upload': {
    /**
     * Upload a file as a visitor, with the visitor token as Bearer
     */
    post: {
      parameters: {
        path: {
          channel_id: string;
        };
      };
      requestBody: {
        content: {
          'multipart/form-data': {
            file?: string;
          };
        };
      };
      responses: {
        /**
         * Where it is; put its `url` or `id` into `attachments` of one `client_message` within a day
         */
        201: {
          content: {
            'application/json': {
              id: string;
              url: string;
              name: string;
              type: string;
              size: number;
            };
          };
        };
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
  '/webchat/{channel_id}/session': {
    /**
     * End the session of a visitor token: it resumes nothing any more
     */
    delete: {
      parameters: {
        path: {
          channel_id: string;
        };
      };
      responses: {
        /**
         * The session has ended
         */
        204: {};
        /**
         * A refusal
         */
        default: {
          content: {
            'application/json': Error;
          };
        };
      };
    };
  };
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Error".
 */
export interface Error {
  error: {
    code:
      | 'invalid_request'
      | 'unauthorized'
      | 'invalid_api_key'
      | 'expired_api_key'
      | 'revoked_api_key'
      | 'forbidden'
      | 'not_found'
      | 'method_not_allowed'
      | 'conflict'
      | 'cursor_expired'
      | 'payload_too_large'
      | 'validation_error'
      | 'no_recipient'
      | 'window_closed'
      | 'opted_out'
      | 'rate_limited'
      | 'internal'
      | 'unavailable';
    message: string;
    details: {
      field: string;
      message: string;
    }[];
    request_id: string;
    [k: string]: unknown;
  };
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Business".
 */
export interface Business {
  id: string;
  name: string;
  timezone: string;
  auto_resolve_after_minutes: number | null;
  retention_messages_days: number | null;
  csat: {
    is_enabled: boolean;
    question?: string;
    /**
     * The five answers, the worst first.
     */
    labels?: string[];
  } | null;
  created_at: string;
  updated_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "ApiKey".
 */
export interface ApiKey {
  id: string;
  name: string;
  role: 'owner' | 'admin' | 'agent' | 'bot';
  agent_id: string | null;
  /**
   * The last four characters of the key.
   */
  hint: string;
  /**
   * The key itself; only here and only once.
   */
  key?: string;
  expires_at: string | null;
  last_used_at: string | null;
  created_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "AuditEntry".
 */
export interface AuditEntry {
  id: string;
  /**
   * What was done, as `noun.verb`.
   */
  action: string;
  /**
   * To what.
   */
  subject_id: string | null;
  /**
   * Further facts, never a secret.
   */
  detail: {
    [k: string]: unknown;
  };
  agent: {
    id: string;
    name: string | null;
  } | null;
  api_key: {
    id: string;
    name: string | null;
  } | null;
  created_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "AnalyticsOverview".
 */
export interface AnalyticsOverview {
  /**
   * That began in these days.
   */
  total_conversations: number;
  /**
   * Seconds until an agent first answered, on average.
   */
  avg_first_response: number | null;
  /**
   * Percent of those that began in these days and are resolved or closed.
   */
  resolution_rate: number | null;
  /**
   * Agents who wrote or finished anything in these days.
   */
  active_agents: number;
  /**
   * Percent of each type of channel.
   */
  channel_mix: {
    [k: string]: number;
  };
  /**
   * At most five, those who resolved most first.
   */
  top_agents: {
    agent_id: string;
    name: string;
    conversations: number;
    resolved: number;
    messages_sent: number;
  }[];
  /**
   * Open at this moment.
   */
  quick_pulse_open: number;
  /**
   * Seconds from the first answer to the end, without what was snoozed.
   */
  median_handle_time: number | null;
  /**
   * Percent of the scores that are 4 or 5; null without any.
   */
  customer_happiness: number | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "AnalyticsConversations".
 */
export interface AnalyticsConversations {
  total_conversations: number;
  open_conversations: number;
  /**
   * Today in the zone of the business.
   */
  resolved_today: number;
  avg_first_response_time: number | null;
  avg_resolution_time: number | null;
  /**
   * The average score, 1 to 5.
   */
  csat: number | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "AnalyticsReport".
 */
export interface AnalyticsReport {
  from: string;
  to: string;
  timezone: string;
  working_hours: boolean;
  group_by: 'channel' | 'channel_type' | 'agent' | 'tag' | 'day' | null;
  total: {
    /**
     * That began.
     */
    conversations: number;
    reopened: number;
    resolved: number;
    /**
     * Closed without having been resolved.
     */
    closed: number;
    messages_received: number;
    messages_sent: number;
    first_response: AnalyticsSpread;
    resolution: AnalyticsSpread;
    handle: AnalyticsSpread;
    csat: AnalyticsScores;
  };
  data: {
    /**
     * That began.
     */
    conversations: number;
    reopened: number;
    resolved: number;
    /**
     * Closed without having been resolved.
     */
    closed: number;
    messages_received: number;
    messages_sent: number;
    first_response: AnalyticsSpread;
    resolution: AnalyticsSpread;
    handle: AnalyticsSpread;
    csat: AnalyticsScores;
    key: string | null;
    name: string | null;
  }[];
}
/**
 * Seconds; null where nothing was measured.
 *
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "AnalyticsSpread".
 */
export interface AnalyticsSpread {
  count: number;
  mean: number | null;
  median: number | null;
  p90: number | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "AnalyticsScores".
 */
export interface AnalyticsScores {
  count: number;
  mean: number | null;
  /**
   * Scores of 4 and 5.
   */
  happy: number;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "SearchHit".
 */
export interface SearchHit {
  kind: 'message' | 'conversation' | 'customer';
  /**
   * Of the message, the conversation or the customer.
   */
  id: string;
  /**
   * Of a message, what stands around the words.
   */
  excerpt: string | null;
  /**
   * When it was written, the conversation began, or the customer was last changed.
   */
  at: string;
  conversation: {
    id: string;
    status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
    channel_id: string;
    channel_type: string;
    subject: string | null;
    tags: string[];
    assignee_id: string | null;
  } | null;
  customer: {
    id: string;
    name: string | null;
    email: string | null;
    phone: string | null;
  } | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Agent".
 */
export interface Agent {
  id: string;
  name: string;
  email: string | null;
  role: 'owner' | 'admin' | 'agent' | 'bot';
  status: 'live' | 'away' | 'offline';
  is_active: boolean;
  invited_at: string | null;
  created_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Conversation".
 */
export interface Conversation {
  id: string;
  business_id: string;
  customer_id: string | null;
  assignee_id: string | null;
  /**
   * The team it was given to.
   */
  team_id: string | null;
  status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
  channel_type: string;
  channel_id: string;
  subject: string | null;
  priority: 'low' | 'normal' | 'high' | 'urgent' | null;
  tags: string[];
  custom_attributes: {
    [k: string]: unknown;
  };
  needs_human_handoff: boolean;
  handoff_reason: string | null;
  /**
   * Since when it waits for a person.
   */
  handoff_requested_at: string | null;
  snoozed_until: string | null;
  reply_window_expires_at: string | null;
  last_message_at: string;
  last_message_seq: number;
  unread_count: number;
  merged_into_id: string | null;
  created_at: string;
  updated_at: string;
  first_response_at: string | null;
  resolved_at: string | null;
  closed_at: string | null;
  customer: Customer;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Team".
 */
export interface Team {
  id: string;
  name: string;
  assignment: {
    /**
     * `manual`: a person decides · `round_robin`: whose turn is the longest ago · `least_busy`: who has the fewest open and pending conversations. Only agents who are `live`.
     */
    mode?: 'manual' | 'round_robin' | 'least_busy';
    /**
     * Outside of them conversations wait.
     */
    working_hours?: {
      timezone: string;
      /**
       * Several ranges a day; one that ends before it begins goes on into the next day.
       */
      schedule: {
        mon?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        tue?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        wed?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        thu?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        fri?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        sat?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        sun?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
      };
      /**
       * Days, like 2026-12-25, on which nothing begins.
       *
       * @maxItems 400
       */
      holidays?: string[];
    };
  };
  /**
   * Ids of its agents.
   */
  members: string[];
  created_at: string;
  updated_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Channel".
 */
export interface Channel {
  id: string;
  business_id: string;
  type: string;
  name: string;
  /**
   * Secrets are masked, like "••••1234".
   */
  config: {
    [k: string]: unknown;
  };
  is_active: boolean;
  is_default: boolean;
  reopen: string;
  assignment: {
    /**
     * `manual`: a person decides · `round_robin`: whose turn is the longest ago · `least_busy`: who has the fewest open and pending conversations. Only agents who are `live`.
     */
    mode?: 'manual' | 'round_robin' | 'least_busy';
    /**
     * Only these agents; without them, and without a team, all of the business.
     *
     * @minItems 1
     * @maxItems 500
     */
    agent_ids?: string[];
    /**
     * The conversations are this team’s.
     */
    team_id?: string;
    /**
     * Outside of them conversations wait.
     */
    working_hours?: {
      timezone: string;
      /**
       * Several ranges a day; one that ends before it begins goes on into the next day.
       */
      schedule: {
        mon?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        tue?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        wed?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        thu?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        fri?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        sat?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
        sun?:
          | {
              start: string;
              end: string;
            }[]
          | {
              start: string;
              end: string;
            };
      };
      /**
       * Days, like 2026-12-25, on which nothing begins.
       *
       * @maxItems 400
       */
      holidays?: string[];
    };
  };
  auto_resolve_after_minutes: number | null;
  retention_messages_days: number | null;
  csat: {
    is_enabled: boolean;
    question?: string;
    /**
     * The five answers, the worst first.
     */
    labels?: string[];
  } | null;
  greeting: string | null;
  out_of_hours: string | null;
  /**
   * Where the provider calls us; null where it does not.
   */
  webhook_url: string | null;
  setup: {
    done: string[];
    todo: string[];
  };
  broken_at: string | null;
  broken_reason: string | null;
  /**
   * Secrets that Tributary made for this request, in clear text for this once.
   */
  generated?: {
    [k: string]: string;
  };
  created_at: string;
  updated_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "InboundEvent".
 */
export interface InboundEvent {
  id: string;
  channel_id: string;
  customer_id: string | null;
  status: 'processed' | 'ignored' | 'failed';
  reason: string | null;
  received_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Message".
 */
export interface Message {
  id: string;
  seq: number | null;
  conversation_id: string;
  direction: 'inbound' | 'outbound' | 'internal';
  sender_type: 'customer' | 'agent' | 'system' | 'bot';
  sender_id: string | null;
  sender: {
    id: string | null;
    name: string | null;
  };
  type:
    | 'text'
    | 'attachment'
    | 'card'
    | 'location'
    | 'contact'
    | 'template'
    | 'note'
    | 'activity'
    | 'unsupported';
  content: string;
  html: string | null;
  text_full: string | null;
  attachments: Attachment[];
  card: Card;
  choice: Choice;
  email: {
    subject?: string;
    from?: string;
    to?: string[];
    cc?: string[];
    bcc?: string[];
    reply_to?: string;
    message_id?: string;
    in_reply_to?: string;
    references?: string[];
  } | null;
  reactions: {
    emoji: string;
    sender: string;
  }[];
  reply_to_id: string | null;
  client_message_id: string | null;
  external_id: string | null;
  status: 'scheduled' | 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed' | 'canceled' | null;
  error: {
    code: string;
    provider_code: string | null;
    message: string;
    retryable: boolean;
  } | null;
  metadata: {
    [k: string]: unknown;
  };
  blocked_by: string | null;
  next_attempt_at: string | null;
  send_at: string | null;
  created_at: string;
  sent_at: string | null;
  delivered_at: string | null;
  read_at: string | null;
  edited_at: string | null;
  deleted_at: string | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Attachment".
 */
export interface Attachment {
  id: string;
  name: string;
  type: string;
  size: number | null;
  url: string | null;
  /**
   * A small WebP, of pictures only; as short-lived as `url`.
   */
  thumbnail_url: string | null;
  width: number | null;
  height: number | null;
  state: 'pending' | 'ready' | 'failed' | 'too_large' | 'expired';
  /**
   * Why it is not here.
   */
  error: string | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Rating".
 */
export interface Rating {
  id: string;
  conversation_id: string;
  /**
   * Whose work it is about.
   */
  agent_id: string | null;
  asked_at: string;
  expires_at: string;
  /**
   * 1 to 5; null while nobody answered.
   */
  score: number | null;
  comment: string | null;
  answered_at: string | null;
  /**
   * In the conversation, on the page of the link, or told by you.
   */
  source: 'chat' | 'page' | 'api' | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Attempt".
 */
export interface Attempt {
  id: string;
  number: number;
  part: number | null;
  started_at: string;
  finished_at: string | null;
  duration_ms: number | null;
  outcome: string | null;
  status_code: number | null;
  provider_code: string | null;
  message: string | null;
  meaning: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Template".
 */
export interface Template {
  /**
   * The provider's id.
   */
  id: string;
  name: string;
  language: string;
  status: 'approved' | 'pending' | 'rejected' | 'paused' | 'disabled';
  category: string | null;
  /**
   * Whether its parameters have names instead of numbers.
   */
  named: boolean;
  header: {
    type: 'text' | 'image' | 'video' | 'document' | 'location';
    text: string;
    /**
     * The names, or numbers, of what is filled in.
     */
    parameters: string[];
  } | null;
  body: {
    text: string;
    /**
     * The names, or numbers, of what is filled in.
     */
    parameters: string[];
  };
  footer: string | null;
  buttons: {
    type: string;
    label: string;
    url?: string;
    /**
     * The names, or numbers, of what is filled in.
     */
    parameters: string[];
  }[];
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "AiHook".
 */
export interface AiHook {
  url: string;
  mode: 'assist' | 'auto';
  threshold: number;
  timeout_seconds: number;
  /**
   * Why its newest answer could not be used; null once it answers again.
   */
  last_failure: {
    at: string;
    message: string;
  } | null;
  created_at: string;
  updated_at: string;
}
/**
 * What the AI suggests to agents. It never reaches a customer by itself.
 *
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Draft".
 */
export interface Draft {
  id: string;
  conversation_id: string;
  /**
   * The customer's message that it answers.
   */
  answers_message_id: string | null;
  content: string;
  confidence: number;
  state: 'drafted' | 'accepted' | 'discarded' | 'superseded';
  /**
   * Somebody has written since.
   */
  is_outdated: boolean;
  created_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "CannedResponse".
 */
export interface CannedResponse {
  id: string;
  title: string;
  shortcut: string | null;
  content: string;
  attachments: {
    /**
     * Null for one that is elsewhere.
     */
    id: string | null;
    url: string;
    name: string | null;
    type: string | null;
    size: number | null;
  }[];
  created_at: string;
  updated_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "AutomationRule".
 */
export interface AutomationRule {
  id: string;
  name: string | null;
  trigger:
    | 'conversation.created'
    | 'conversation.updated'
    | 'conversation.assigned'
    | 'conversation.unassigned'
    | 'conversation.status_changed'
    | 'conversation.snoozed'
    | 'conversation.unsnoozed'
    | 'conversation.resolved'
    | 'conversation.closed'
    | 'conversation.reopened'
    | 'conversation.tags_changed'
    | 'conversation.handoff_requested'
    | 'conversation.merged'
    | 'message.received'
    | 'message.created'
    | 'message.sent'
    | 'message.delivered'
    | 'message.read'
    | 'message.failed'
    | 'message.updated'
    | 'message.deleted'
    | 'customer.created'
    | 'customer.updated'
    | 'customer.merged'
    | 'conversation.unanswered'
    | 'conversation.unassigned_for';
  conditions: {
    field: string;
    operator: string;
    value?: unknown;
  }[];
  actions: {
    type: string;
    [k: string]: unknown;
  }[];
  after_minutes: number | null;
  is_active: boolean;
  created_at: string;
  updated_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Consent".
 */
export interface Consent {
  id: string;
  channel_id: string;
  address: string;
  /**
   * The newest `stop` or `start` counts.
   */
  consent: 'stop' | 'start' | 'help';
  source: 'customer' | 'provider' | 'agent';
  /**
   * The word that the customer wrote.
   */
  keyword: string | null;
  agent_id: string | null;
  said_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "Event".
 */
export interface Event {
  id: string;
  /**
   * Where a reader stands that has read this event.
   */
  cursor: string;
  type:
    | 'conversation.created'
    | 'conversation.updated'
    | 'conversation.assigned'
    | 'conversation.unassigned'
    | 'conversation.status_changed'
    | 'conversation.snoozed'
    | 'conversation.unsnoozed'
    | 'conversation.resolved'
    | 'conversation.closed'
    | 'conversation.reopened'
    | 'conversation.tags_changed'
    | 'conversation.handoff_requested'
    | 'conversation.merged'
    | 'message.received'
    | 'message.created'
    | 'message.sent'
    | 'message.delivered'
    | 'message.read'
    | 'message.failed'
    | 'message.updated'
    | 'message.deleted'
    | 'customer.created'
    | 'customer.updated'
    | 'customer.merged'
    | 'customer.deleted'
    | 'channel.error'
    | 'endpoint.failing'
    | 'endpoint.recovered'
    | 'endpoint.disabled'
    | 'delivery.failed'
    | 'agent.status_changed'
    | 'draft.created'
    | 'draft.updated';
  timestamp: string;
  business_id: string;
  conversation_id: string | null;
  customer_id: string | null;
  message_id: string | null;
  caused_by: {
    [k: string]: unknown;
  } | null;
  /**
   * Where it concerns them: `conversation`, `message`, `customer`.
   */
  data: {
    [k: string]: unknown;
  };
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "WebhookEndpoint".
 */
export interface WebhookEndpoint {
  id: string;
  business_id: string;
  url: string;
  events: string[];
  filter: {
    [k: string]: string | number | boolean | null | (string | number | boolean | null)[];
  } | null;
  description: string | null;
  signatures: ('v1' | 'v1a')[];
  /**
   * Their values are never shown again.
   */
  headers: {
    [k: string]: string;
  };
  /**
   * Shown to a receiver that asks for one; its key is never shown again.
   */
  client_certificate: {
    subject: string;
    fingerprint: string;
    expires_at: string;
  } | null;
  order: 'none' | 'conversation' | 'endpoint';
  concurrency: number | null;
  rate_limit: number | null;
  is_active: boolean;
  /**
   * Since when every try has failed.
   */
  failing_since: string | null;
  /**
   * When it will be switched off if every try goes on failing.
   */
  disables_at: string | null;
  /**
   * It fails, or asked for patience: nothing is tried before.
   */
  paused_until: string | null;
  disabled_at: string | null;
  /**
   * `failing`, or `gone` when it answered 410; null when a person switched it off.
   */
  disabled_reason: string | null;
  /**
   * From when on it missed events while it was off: `replay` delivers them.
   */
  missed_since: string | null;
  created_at: string;
  updated_at: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "WebhookDelivery".
 */
export interface WebhookDelivery {
  id: string;
  endpoint_id: string;
  /**
   * The `webhook-id` of every try.
   */
  event_id: string;
  event_type: string;
  conversation_id: string | null;
  /**
   * The event itself, or who asked for it again.
   */
  trigger: 'event' | 'retry' | 'recover' | 'replay' | 'test';
  status: 'pending' | 'delivered' | 'failed' | 'canceled';
  /**
   * Tries of the schedule under way.
   */
  tries: number;
  /**
   * All attempts ever made.
   */
  attempt_count: number;
  next_attempt_at: string | null;
  last_outcome: string | null;
  last_status_code: number | null;
  last_duration_ms: number | null;
  created_at: string;
  delivered_at: string | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "SupportAnalytics".
 */
export interface SupportAnalytics {
  totalConversations: number;
  openConversations: number;
  /**
   * Today in the zone of the business.
   */
  resolvedToday: number;
  /**
   * Seconds; null without data.
   */
  avgFirstResponseTime: number | null;
  /**
   * Seconds; null without data.
   */
  avgResolutionTime: number | null;
  /**
   * The average score, 1 to 5; null without any.
   */
  csat: number | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "SupportError".
 */
export interface SupportError {
  success: false;
  error: {
    /**
     * As in the native dialect, in capitals.
     */
    code: string;
    message: string;
    details: {
      fields?: {
        field: string;
        message: string;
      }[];
      /**
       * Seconds.
       */
      retryAfter?: number;
      requestId?: string;
      [k: string]: unknown;
    };
  };
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "SupportConversation".
 */
export interface SupportConversation {
  id: string;
  status: 'open' | 'pending' | 'snoozed' | 'resolved' | 'closed';
  inboxId: string;
  visitor: {
    id: string;
    name: string | null;
    email: string | null;
  } | null;
  assignee: {
    id: string;
    name: string | null;
  } | null;
  tags: string[];
  createdAt: string;
  updatedAt: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "SupportMessage".
 */
export interface SupportMessage {
  id: string;
  /**
   * Who speaks; a bot is `system`.
   */
  type: 'visitor' | 'agent' | 'system' | 'note';
  /**
   * The text; of a card the card itself.
   */
  content:
    | string
    | {
        [k: string]: unknown;
      };
  attachments: SupportAttachment[];
  author: {
    id: string | null;
    name: string | null;
  };
  status: 'scheduled' | 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed' | 'canceled' | null;
  createdAt: string;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "SupportAttachment".
 */
export interface SupportAttachment {
  id: string;
  name: string;
  type: string;
  size: number | null;
  url: string | null;
  width: number | null;
  height: number | null;
  state: 'pending' | 'ready' | 'failed' | 'too_large' | 'expired';
  /**
   * Why it is not here.
   */
  error: string | null;
  /**
   * A small WebP, of pictures only; as short-lived as `url`.
   */
  thumbnailUrl: string | null;
}
/**
 * This interface was referenced by `Paths`'s JSON-Schema
 * via the `definition` "SupportVisitor".
 */
export interface SupportVisitor {
  id: string;
  /**
   * The person's id at the business, where it is known.
   */
  userId: string | null;
  name: string | null;
  email: string | null;
  phone: string | null;
  attributes: {
    [k: string]: unknown;
  };
  firstSeenAt: string;
  /**
   * When they wrote last.
   */
  lastSeenAt: string | null;
  updatedAt: string;
}
