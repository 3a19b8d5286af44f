import { flag, maybeAmount, nothing, strictObject, text } from './schema-forms.ts';

/** The indexes of a load; see run/index-reports.ts. */
export const indexReports = {
  type: 'array',
  description: 'Indexes that the job asks for; absent where it asks for none.',
  items: strictObject({
    name: text,
    definition: { ...text, description: 'As the server spells it.' },
    unique: flag,
    status: {
      enum: ['existing', 'built', 'not-built'],
      description: 'not-built: an error or an interrupt came first.',
    },
    concurrently: {
      anyOf: [flag, nothing],
      description: 'Whether others could write the table meanwhile; null unless it was built.',
    },
    ms: {
      ...maybeAmount,
      description:
        "Milliseconds of its build; null unless it was built, or where that was in one go with a new table's key.",
    },
  }),
} as const;
