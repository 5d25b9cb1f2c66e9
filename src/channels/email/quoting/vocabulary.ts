/**
 * What mail programs write around what they quote, in the languages that they speak. The words alone decide nothing:
 * `attribution.ts` and `signature.ts` ask for a date or an address and look at what stands around them.
 */

/** "… wrote": in every form that a line above a quote ends with or holds. */
const WROTE = words(`
  wrote | writes | schrieb | geschrieben | schreibt | a écrit | écrit | escribió | escribio | ha scritto |
  scritto | scrive | escreveu | schreef | geschreven | het volgende | napisał(a) | napisał | napisała | pisze |
  Wiadomość napisana przez | написал(а) | написал | написала | пишет | писал | писав | пише | написав | napsal(a) |
  napsal | napsala | píše | odesílatel | napísal(a) | napísal | skrev | kirjoitti | yazdı | şunu yazdı |
  şunları yazdı | írta | ezt írta | a scris | έγραψε | γράφει | написа | rašė | kirjutas | rakstīja | napisao |
  napisala | đã viết | menulis | เขียน | 写道 | 寫道 | のメール | のメッセージ | 書きました | は書きました | 작성 | 썼습니다 | 님이 작성 | كتب |
  كتابة | كتبت | כתב | כתבה | מאת
`);

/** The first words of such lines, where a verb is missing or comes late. */
const LABELS = {
  from: words(`
    From | Von | De | Da | Van | Od | От | Від | Från | Fra | Lähettäjä | Kimden | Gönderen | Feladó | De la |
    Expeditor | Από | 差出人 | 送信者 | 发件人 | 寄件者 | 寄件人 | 發件人 | 보낸 사람 | 보낸사람 | من | מאת | De parte de
  `),
  date: words(`
    Sent | Date | Gesendet | Datum | Envoyé | Enviado | Enviado el | Enviada em | Enviado em | Fecha | Data |
    Inviato | Verzonden | Wysłano | Wysłane | Отправлено | Дата | Надіслано | Відправлено | Odesláno | Skickat |
    Skickades | Sendt | Dato | Lähetetty | Päivämäärä | Päiväys | Gönderildi | Gönderme Tarihi | Tarih |
    Elküldve | Küldve | Dátum | Trimis | Expediat | Στάλθηκε | Εστάλη | Ημερομηνία | 送信日時 | 日付 | 日時 | 发送时间 |
    发送日期 | 日期 | 寄件日期 | 傳送時間 | 보낸 날짜 | 날짜 | 보낸 시간 | تاريخ الإرسال | التاريخ | تم الإرسال | נשלח | תאריך |
    Отправлено в | Gesendet am | Envoyé le | Inviato il | Odoslané | Poslano
  `),
  to: words(`
    To | An | À | A | Para | Aan | Do | Кому | Komu | Till | Til | Vastaanottaja | Kime | Alıcı | Címzett |
    Către | Προς | 宛先 | 收件人 | 收件者 | 받는 사람 | 받는사람 | إلى | אל | Pour | Pro | Destinataire
  `),
  copy: words(`
    Cc | Kopie | Copie | CC | Копия | Копія | Kopia | Kopi | Kopio | Bilgi | Másolatot kap | Κοιν | 抄送 | 副本 | 참조 |
    نسخة | עותק | Bcc | DW | Reply-To | Antwort an
  `),
  subject: words(`
    Subject | Betreff | Objet | Asunto | Oggetto | Assunto | Onderwerp | Temat | Тема | Předmět | Predmet | Ämne |
    Emne | Aihe | Konu | Tárgy | Subiect | Θέμα | 件名 | 主题 | 主旨 | 主題 | 제목 | الموضوع | נושא
  `),
};

export type Label = keyof typeof LABELS;

/** "Original message", as it stands between dashes. */
const ORIGINAL = words(`
  Original Message | Original | Mail original | Reply Message | Ursprüngliche Nachricht | Originalnachricht | Original-Nachricht | Antwort Nachricht |
  Message d'origine | Message original | Mensaje original | Messaggio originale | Mensagem original |
  Oorspronkelijk bericht | Oorspronkelijk e-mailbericht | Wiadomość oryginalna | Oryginalna wiadomość |
  Исходное сообщение | Оригинальное сообщение | Вихідне повідомлення | Початкове повідомлення | Původní zpráva |
  Původní e-mail | Pôvodná správa | Ursprungligt meddelande | Originalmeddelande | Oprindelig meddelelse |
  Oprindelig besked | Original melding | Opprinnelig melding | Alkuperäinen viesti | Orijinal İleti |
  Orijinal mesaj | Özgün ileti | Eredeti üzenet | Mesaj original | Mesajul original | Αρχικό μήνυμα |
  Оригинално съобщение | 原始邮件 | 原始郵件 | 回复的原邮件 | 元のメッセージ | オリジナルメッセージ | 원본 메일 | 원본 메시지 | 원본 이메일 | الرسالة الأصلية |
  הודעה מקורית
`);

/** "Forwarded message", between dashes or with a colon. */
const FORWARDED = words(`
  Forwarded message | Begin forwarded message | Weitergeleitete Nachricht |
  Anfang der weitergeleiteten Nachricht | Message transféré | Début du message transféré |
  Début du message réexpédié | Message transmis | Mensaje reenviado | Inicio del mensaje reenviado |
  Messaggio inoltrato | Inizio messaggio inoltrato | Mensagem encaminhada | Mensagem reencaminhada |
  Início da mensagem reencaminhada | Início da mensagem encaminhada | Doorgestuurd bericht |
  Begin doorgestuurd bericht | Wiadomość przekazana | Przekazana wiadomość | Forwardowana wiadomość |
  Początek przekazywanej wiadomości | Пересылаемое сообщение | Перенаправленное сообщение |
  Пересланное сообщение | Начало переадресованного сообщения | Начало пересылаемого сообщения |
  Переслане повідомлення | Початок листа, що пересилається | Přeposlaná zpráva | Preposlaná správa |
  Vidarebefordrat meddelande | Vidarebefordrat brev | Vidarebefordrat mejl | Videresendt meddelelse |
  Videresendt melding | Videresendt besked | Videresendt e-post | Edelleenlähetetty viesti | Välitetty viesti |
  Välitetty viesti alkaa | İletilen mesaj | Yönlendirilen ileti | Továbbított üzenet | Továbbított levél |
  Mesaj redirecționat | Mesaj redirecţionat | Προωθημένο μήνυμα | 转发的邮件 | 转发邮件信息 | 轉寄郵件 | 轉寄的郵件 | 転送メッセージ |
  転送されたメッセージ | 전달된 메시지 | 전달된 메일 | رسالة مُعاد توجيهها | رسالة معاد توجيهها | הודעה שהועברה
`);

/** "Sent from": what programs and telephones put below a mail. */
const SENT_WITH = words(`
  Sent from | Sent via | Sent with | Sent using | Gesendet von | Gesendet mit | Von meinem | Von \\S+ gesendet |
  Diese Nachricht wurde von meinem | Envoyé depuis | Envoyé de | Envoyé à partir | Envoyé avec | Provenance | Enviado desde |
  Enviado de | Enviado do | Enviado a partir | Enviado con | Inviato da | Inviato con | Verzonden vanaf | Verzonden met |
  Verstuurd vanaf | Verstuurd met | Wysłane z | Wysłano z | Отправлено с | Отправлено из | Надіслано з | Надіслано із |
  Відправлено з | Odesláno z | Odesláno ze | Odoslané z | Skickat från | Sendt fra | Sendt med | Lähetetty |
  \\S+ gönderildi | Elküldve | Küldve | Trimis de | Trimis din | Στάλθηκε από | Изпратено от | .*から送信 | 从 ?我的 |
  发自 | 來自 | 来自 | 從我的 | 나의 | 내 | .*에서 보냄 | أُرسلت من | أرسلت من | تم الإرسال من | נשלח מ
`);

/** What mails are sent with, as such a line names it. */
const DEVICE =
  /iphon|ipad|ipod|\bios\b|android|outlook|yahoo|samsung|galaxy|gmail|blackberry|huawei|xiaomi|redmi|proton|windows|handy|smartphone|my (mobile|phone|cell)|mobiltelefon|puhelim|celular|cellulare|móvil|téléphone|telefoon|tablet|\bspark\b|\bgmx\b|web\.de|nokia|pixel|oneplus|bluemail|mail\.ru|airmail|fairemail|k-9|\baol\b|zoho|superhuman|смартфон|телефона|яндекс|手机|手機|スマートフォン|휴대폰|아이폰|هاتف|آيفون/iu;

/** "Get Outlook for iOS", in whatever language: the name of a program and that of a system, with little around them. */
const PROGRAM =
  /\b(outlook|bluemail|fairemail|k-9 mail|spark|edison mail|yahoo mail)\b.*\b(ios|android|iphone|ipad|mac|windows)/iu;
const MOST_AROUND = 7;

/** How people close what they write, before their name. */
const CLOSINGS = words(`
  best | regards | best regards | kind regards | warm regards | many thanks | thanks | thank you |
  thanks in advance | cheers | sincerely | yours sincerely | best wishes | all the best | br | kr |
  mit freundlichen grüßen | mit freundlichen grüssen | freundliche grüße | freundliche grüsse | viele grüße |
  liebe grüße | beste grüße | schöne grüße | mfg | lg | vg | gruß | grüße | danke | vielen dank | cordialement |
  bien cordialement | bien à vous | merci | merci beaucoup | salutations | saludos | un saludo |
  saludos cordiales | atentamente | gracias | cordiali saluti | distinti saluti | un saluto | saluti | grazie |
  atenciosamente | abraços | cumprimentos | com os melhores cumprimentos | obrigado | obrigada | att |
  met vriendelijke groet | met vriendelijke groeten | vriendelijke groet | groeten | groet | mvg | bedankt |
  pozdrawiam | z poważaniem | pozdrowienia | dziękuję | с уважением | спасибо | з повагою | дякую | s pozdravem |
  děkuji | med vänliga hälsningar | vänliga hälsningar | mvh | tack | med venlig hilsen | venlig hilsen |
  med vennlig hilsen | vennlig hilsen | hilsen | takk | tak | ystävällisin terveisin | terveisin | kiitos | t |
  saygılarımla | iyi günler | teşekkürler | üdvözlettel | köszönettel | cu stimă | mulțumesc | με εκτίμηση |
  ευχαριστώ | よろしくお願いいたします | 以上 | 此致 | 谢谢 | 謝謝 | 감사합니다 | مع التحية | شكرا | בברכה | תודה
`);

/** The small print of companies, below everything: it is long, and a person's own sentence about secrets is not. */
export function isSmallPrint(paragraph: string): boolean {
  return FOOTER.test(paragraph) || (paragraph.length > SHORTEST_PRINT && SMALL_PRINT.test(paragraph));
}

const SHORTEST_PRINT = 130;
const SMALL_PRINT =
  /^(confidential(ity)? (notice|note)|disclaimer\b|this (e-?mail|message)( and any (attachments?|files))?.{0,60}(confidential|intended (solely|only))|the information (contained )?in this (e-?mail|message)|diese e-?mail (enthält|kann)|der inhalt dieser e-?mail|ce (message|courriel|mail)( et.{0,60})? (est|sont|contient).{0,40}confidentiel|este (mensaje|correo|e-?mail).{0,80}(confidencial)|esta mensagem.{0,80}confidencia|questo messaggio.{0,80}(riservat|confidenzial)|dit (e-?mail)?bericht.{0,80}vertrouwelijk|ta wiadomość.{0,80}poufn|данное сообщение.{0,80}конфиденциальн)/iu;
const FOOTER =
  /^(please consider the environment before|denken sie an die umwelt, bevor|virus-free\.|virenfrei\.|sans virus\.|libre de virus\.|this email has been checked for viruses by)/iu;

/** A line that asks to answer above it, as help desks write. */
export const ANSWER_ABOVE =
  /^\W*((please )?(type|write|reply|answer)\b.{0,30}\babove this line|bitte.{0,30}(oberhalb|über) dieser (zeile|linie)|répond\S*.{0,30}au-dessus de cette ligne|responda.{0,30}por encima de esta línea|rispond\S*.{0,30}sopra questa (riga|linea))\b/iu;

const wrote = new RegExp(
  `(^|[^\\p{L}])(${alternatives(WROTE)})($|[^\\p{L}])|(${alternatives(WROTE.filter(hasNoSpaces))})`,
  'iu',
);
const OURSELVES =
  /(^|\s)(I|we|ich|wir|je|j['’]ai|nous|yo|nosotros|io|noi|ho|eu|nós|ik|wij|jeg|jag|vi|я|мы|ми|já|minä)(\s|$)/u;
const wroteAtEnd = new RegExp(`(${alternatives(WROTE)})[\\s:：)*—-]*$`, 'iu');
const dashed = new RegExp(`^[-_=*—– ]{2,}(${alternatives(ORIGINAL)})[-_=*—– :]*$`, 'iu');
const forwarded = new RegExp(
  `^[-_=*—– ]*(${alternatives(FORWARDED)})[-_=*—– :：]*$|^[-—– ]{2,}\\s*(Forwarded by|Weitergeleitet von|Fwd:) `,
  'iu',
);
const sentWith = new RegExp(`^(${SENT_WITH.join('|')})`, 'iu');
const closing = new RegExp(
  `^(${alternatives([...CLOSINGS].sort((a, b) => b.length - a.length))})[\\s,.!。，-]*$`,
  'iu',
);
const labels = new Map(
  Object.entries(LABELS).flatMap(([kind, words]) =>
    words.map((word) => [word.toLowerCase(), kind as Label] as const),
  ),
);

/** Whether that is the last that the words say. */
export function endsWithWrote(words: string): boolean {
  return wroteAtEnd.test(words);
}

/** Whether the words say that somebody wrote. */
export function saysWrote(words: string): boolean {
  return wrote.test(words);
}

/** "-----Original Message-----" and its like. */
export function isOriginalMessage(words: string): boolean {
  return words.length < 100 && dashed.test(words);
}

/** The line above a forwarded mail. */
export function isForwarded(words: string): boolean {
  return words.length < 120 && forwarded.test(words);
}

/** A line that a program put below the mail: it names what the mail was sent with and is no sentence. */
export function isSentWith(line: string): boolean {
  const words = line.replace(/<[^<>]*>/g, ' ').trim();
  if (words.length > 90 || /[.!?]\s+\S/.test(words) || /^sent (from|via) the\b/i.test(words)) return false;
  if (words.split(/\s+/).length <= MOST_AROUND && PROGRAM.test(words)) return true;
  return (
    (sentWith.test(words) || /(から送信|에서 보냄|gönderildi|发送|傳送)\.?$/u.test(words)) &&
    DEVICE.test(words)
  );
}

/** Who speaks of themselves tells a story: programs name others. */
export function isAboutOurselves(words: string): boolean {
  return OURSELVES.test(words);
}

/** Whether a line says good-bye and nothing else. */
export function isClosing(words: string): boolean {
  return words.length < 50 && closing.test(words);
}

/** Which header of a mail a line shows, such as `Von: …`. */
export function labelOf(words: string): Label | undefined {
  const label = /^\*?([^:：]{1,24}?)\s*\*?\s*[:：]/u.exec(words)?.[1];
  return label === undefined ? undefined : labels.get(label.trim().toLowerCase());
}

function words(list: string): string[] {
  return list.split('|').map((word) => word.trim());
}

function alternatives(words: readonly string[]): string {
  return words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
}

/** Where no spaces stand between words, the word may be a part of the line. */
function hasNoSpaces(word: string): boolean {
  return /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0590-\u06ff]/u.test(word);
}
