import type { MailAttachment } from './mail.ts';

const EXTENSIONS: Record<string, string> = {
  'text/calendar': 'ics',
  'text/plain': 'txt',
  'text/html': 'html',
  'text/vcard': 'vcf',
  'text/x-vcard': 'vcf',
  'text/rfc822-headers': 'txt',
  'message/rfc822': 'eml',
  'message/delivery-status': 'txt',
  'image/jpeg': 'jpg',
  'image/svg+xml': 'svg',
  'application/pdf': 'pdf',
  'application/zip': 'zip',
  'application/ms-tnef': 'dat',
  'application/pgp-signature': 'asc',
  'application/pgp-encrypted': 'asc',
  'application/pkcs7-signature': 'p7s',
  'application/pkcs7-mime': 'p7m',
};
const STEMS: Record<string, string> = {
  'text/calendar': 'invite',
  'message/rfc822': 'message',
  'text/rfc822-headers': 'headers',
  'message/delivery-status': 'delivery-report',
};

const MEDIA = /^(image|audio|video)$/;

/** The name of an attachment, or one that says what it is. */
export function fileNameOf({ name, contentType }: MailAttachment, position: number): string {
  if (name !== undefined && name.trim() !== '') return name.trim().slice(0, 255);
  const [kind = '', subtype = ''] = contentType.split('/');
  const stem = STEMS[contentType] ?? (MEDIA.test(kind) ? kind : 'attachment');
  return `${stem}-${position + 1}.${EXTENSIONS[contentType] ?? extensionFor(kind, subtype)}`;
}

function extensionFor(kind: string, subtype: string): string {
  if (MEDIA.test(kind) && /^[a-z0-9]{2,5}$/.test(subtype)) return subtype;
  return kind === 'text' || kind === 'message' ? 'txt' : 'bin';
}
