const text = { type: 'string' } as const;
const nothing = { type: 'null' } as const;

/** The indexes of a load; see run/index-reports.ts. */
export const indexReports = {
  type: 'array',
  description: 'Indexes that the job asks for; absent where it asks for none.',
  items: {
    type: 'object',
    properties: {
      name: text,
      definition: { ...text, description: 'As the server spells it.' },
      unique: { type: 'boolean' },
      status: {
        enum: ['existing', 'built', 'not-built'],
        description: 'not-built: an error or an interrupt came first.',
      },
      concurrently: {
        anyOf: [{ type: 'boolean' }, nothing],
        description: 'Whether others could write the table meanwhile; null unless it was built.',
      },
      ms: {
        anyOf: [{ type: 'number', minimum: 0 }, nothing],
        description:
          "Milliseconds of its build; null unless it was built, or where that was in one go with a new table's key.",
      },
    },
    required: ['name', 'definition', 'unique', 'status', 'concurrently', 'ms'],
    additionalProperties: false,
  },
} as const;
