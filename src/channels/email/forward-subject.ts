// English, German, French, Spanish, Portuguese, Italian, Dutch, Danish and Norwegian, Swedish, Finnish, Polish, Czech, Turkish,
// Russian, Hungarian, Greek, Chinese, Japanese, Korean, Hebrew, Arabic. `RES:` is how Portuguese begins a reply.
const FORWARD =
  /^\s*(fwd?|wg|tr|rv|enc|i|doorst|vs|vb|vl|pd|pr|př|ilt|пересл|отправка|továbbítás|πρθ|转发|轉寄|転送|전달|הועבר|إعادة توجيه)\s*[:：]/iu;

/** Whether the subject begins as programs begin that of a mail which they pass on. */
export function isForwardSubject(subject: string): boolean {
  return FORWARD.test(subject);
}
