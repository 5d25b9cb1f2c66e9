/** Builders of Telegram's updates in the documented shape. Each takes what matters to a test and invents the rest. */

export interface FakeUser {
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string;
  username?: string;
  language_code?: string;
}

export interface FakeChat {
  id: number;
  type: 'private' | 'group' | 'supergroup' | 'channel';
  title?: string;
  first_name?: string;
  username?: string;
  is_forum?: boolean;
}

type Fields = Record<string, unknown>;

export interface FakeUpdate extends Fields {
  update_id: number;
}

export interface MessageFields extends Fields {
  from?: FakeUser;
  chat?: FakeChat;
  message_id?: number;
}

let lastId = 0;
const nextId = () => ++lastId + 1000;
let lastUpdateId = 700_000_000;

/** A person who never wrote before, or the one described. */
export function fakeUser(fields: Partial<FakeUser> = {}): FakeUser {
  return { id: 5_000_000 + nextId(), is_bot: false, first_name: 'Ada', language_code: 'en', ...fields };
}

/** The private chat of a person, whose id is the person's. */
export function privateChat({ id, first_name }: FakeUser): FakeChat {
  return { id, type: 'private', first_name };
}

/** A group, whose ids are negative. */
export function fakeGroup(fields: Partial<FakeChat> = {}): FakeChat {
  return { id: -(1_000_000 + nextId()), type: 'group', title: 'Support group', ...fields };
}

/** A message as it stands inside an update. */
export function fakeMessage({
  from = fakeUser(),
  chat,
  ...fields
}: MessageFields = {}): Fields & { message_id: number; chat: FakeChat } {
  const message_id = fields.message_id ?? nextId();
  return { date: 1_760_000_000, from, ...fields, message_id, chat: chat ?? privateChat(from) };
}

/** One update of any kind. */
function anyUpdate(kind: string, value: unknown): FakeUpdate {
  return { update_id: ++lastUpdateId, [kind]: value };
}

const withMessage =
  (defaults: () => Fields) =>
  (fields: MessageFields = {}) =>
    anyUpdate('message', fakeMessage({ ...defaults(), ...fields }));

const file = (fields: Fields = {}) => ({
  file_id: `file-${nextId()}`,
  file_unique_id: `u${nextId()}`,
  file_size: 1234,
  ...fields,
});

/** What a test pushes: `update.text({ text: 'hello' })`. */
export const update = {
  text: withMessage(() => ({ text: 'hello' })),
  photo: withMessage(() => ({
    photo: [file({ width: 90, height: 60 }), file({ width: 1280, height: 960 })],
  })),
  document: withMessage(() => ({
    document: file({ file_name: 'report.pdf', mime_type: 'application/pdf' }),
  })),
  voice: withMessage(() => ({ voice: file({ duration: 3, mime_type: 'audio/ogg' }) })),
  audio: withMessage(() => ({
    audio: file({ duration: 180, mime_type: 'audio/mpeg', file_name: 'song.mp3' }),
  })),
  video: withMessage(() => ({
    video: file({ width: 640, height: 360, duration: 9, mime_type: 'video/mp4' }),
  })),
  videoNote: withMessage(() => ({ video_note: file({ length: 240, duration: 5 }) })),
  sticker: withMessage(() => ({
    sticker: file({
      type: 'regular',
      width: 512,
      height: 512,
      is_animated: false,
      is_video: false,
      emoji: '👋',
    }),
  })),
  location: withMessage(() => ({ location: { latitude: 52.52, longitude: 13.405 } })),
  contact: withMessage(() => ({
    contact: { phone_number: '+4930123456', first_name: 'Grace', last_name: 'Hopper' },
  })),
  edited: (fields: MessageFields = {}) =>
    anyUpdate('edited_message', fakeMessage({ text: 'edited', edit_date: 1_760_000_060, ...fields })),
  channelPost: ({ chat = fakeGroup({ type: 'channel', title: 'News' }), ...fields }: MessageFields = {}) => {
    const { from: _, ...post } = fakeMessage({ text: 'post', sender_chat: chat, chat, ...fields });
    return anyUpdate('channel_post', post);
  },
  businessMessage: (fields: MessageFields = {}) =>
    anyUpdate('business_message', fakeMessage({ text: 'hello', business_connection_id: 'bc-1', ...fields })),
  reaction: ({
    user = fakeUser(),
    chat,
    message_id,
    emojis = ['👍'],
  }: {
    user?: FakeUser;
    chat?: FakeChat;
    message_id: number;
    emojis?: string[];
  }) =>
    anyUpdate('message_reaction', {
      chat: chat ?? privateChat(user),
      message_id,
      user,
      date: 1_760_000_100,
      old_reaction: [],
      new_reaction: emojis.map((emoji) => ({ type: 'emoji', emoji })),
    }),
  callback: ({
    from = fakeUser(),
    message = fakeMessage(),
    data = 'yes',
  }: {
    from?: FakeUser;
    message?: Fields;
    data?: string;
  } = {}) => anyUpdate('callback_query', { id: `cb-${nextId()}`, from, message, chat_instance: '1', data }),
  membership: ({ user = fakeUser(), chat, status }: { user?: FakeUser; chat?: FakeChat; status: string }) =>
    anyUpdate('my_chat_member', {
      chat: chat ?? privateChat(user),
      from: user,
      date: 1_760_000_200,
      old_chat_member: { user: { id: 1, is_bot: true, first_name: 'Bot' }, status: 'member' },
      new_chat_member: { user: { id: 1, is_bot: true, first_name: 'Bot' }, status, until_date: 0 },
    }),
};
