interface Waiting<Question, Answer> {
  question: Question;
  resolve(answer: Answer | Promise<Answer>): void;
  reject(error: unknown): void;
}

interface TogetherOptions {
  most: number;
  /** What comes until it resolves shares the first question. */
  gather?(): Promise<unknown>;
}

/** Asks once for many: what comes while an answer is under way shares the next question. An answer may be a promise still. */
export function together<Question, Answer>(
  ask: (questions: Question[]) => Promise<(Answer | Promise<Answer>)[]>,
  { most, gather }: TogetherOptions,
): (question: Question) => Promise<Answer> {
  const waiting: Waiting<Question, Answer>[] = [];
  let isAsking = false;

  async function askWhileAnyWait(): Promise<void> {
    isAsking = true;
    await gather?.();
    while (waiting.length > 0) await answer(waiting.splice(0, most));
    isAsking = false;
  }

  async function answer(asking: Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await ask(asking.map((it) => it.question));
      for (const [index, it] of asking.entries()) it.resolve(answers[index] as Answer | Promise<Answer>);
    } catch (error) {
      for (const it of asking) it.reject(error);
    }
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (!isAsking) void askWhileAnyWait();
    });
}
