const MEANINGS: readonly (readonly [said: RegExp, meaning: string])[] = [
  [/bot was blocked by the user/i, 'The customer has blocked the bot.'],
  [/user is deactivated/i, 'The customer’s account was deleted.'],
  [/bot can't initiate conversation/i, 'The customer has to write to the bot first.'],
  [/bot was kicked|bot is not a member/i, 'The bot was removed from the group.'],
  [/group chat was deleted/i, 'The group was deleted.'],
  [/have no rights to send|not enough rights|CHAT_WRITE_FORBIDDEN/i, 'The bot may not write there.'],
  [/chat not found/i, 'Telegram knows no such chat: the customer has to write to the bot first.'],
  [/message thread not found|TOPIC_DELETED/i, 'The topic was deleted.'],
  [/TOPIC_CLOSED/i, 'The topic is closed.'],
  [/business connection|BUSINESS_/i, 'The bot may no longer write for this business account.'],
  [/message text is empty/i, 'There is nothing in the message that Telegram shows.'],
];

/** What a refusal of Telegram's means, in words that help an agent; undefined for all but the usual ones. */
export function meaningOf(description: string): string | undefined {
  return MEANINGS.find(([said]) => said.test(description))?.[1];
}
