import type { FilledTemplate } from '../../../core/template.ts';

type Json = Record<string, unknown>;

/** A filled template as Meta takes it; `file` is where its header's file is. */
export function templateBody(template: FilledTemplate, file: Record<string, string> | undefined): Json {
  const { name, language, named } = template;
  const components = [...headerOf(template, file), ...bodyOf(template), ...buttonsOf(template)];
  return {
    name,
    language: { code: language },
    ...(components.length === 0 ? {} : { components }),
  };

  function bodyOf({ body }: FilledTemplate): Json[] {
    return body.length === 0 ? [] : [{ type: 'body', parameters: body.map(textParameter) }];
  }

  function textParameter({ name: parameter, text }: FilledTemplate['body'][number]): Json {
    return { type: 'text', ...(named ? { parameter_name: parameter } : {}), text };
  }

  function headerOf({ header }: FilledTemplate, media: Record<string, string> | undefined): Json[] {
    if (header === undefined) return [];
    switch (header.type) {
      case 'text':
        return header.values.length === 0
          ? []
          : [{ type: 'header', parameters: header.values.map(textParameter) }];
      case 'location':
        return [{ type: 'header', parameters: [{ type: 'location', location: header.location }] }];
      case 'image':
      case 'video':
      case 'document':
        return [{ type: 'header', parameters: [{ type: header.type, [header.type]: media ?? {} }] }];
    }
  }
}

function buttonsOf({ buttons }: FilledTemplate): Json[] {
  return buttons.map(({ index, type, text }) => ({
    type: 'button',
    sub_type: type,
    index: String(index),
    parameters: [parameterOf(type, text)],
  }));
}

function parameterOf(type: string, text: string): Json {
  if (type === 'quick_reply') return { type: 'payload', payload: text };
  if (type === 'copy_code') return { type: 'coupon_code', coupon_code: text };
  return { type: 'text', text };
}
