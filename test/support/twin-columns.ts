import {
  TEXTS,
  TYPE,
  decimal,
  integer,
  time,
  timestamp,
} from '../../tools/parquet-corpus/corpus-columns.ts';
import type { ParquetType } from '../../src/source/source-file.ts';
import { intervalBytes, type TwinColumn } from './twin-files.ts';

/** Values of a Parquet type, and the types of table that make sense for them. */
export type TwinCase = Omit<TwinColumn, 'name'> & { readonly targets: readonly string[] };

const WIDE = ['bigint', 'numeric', 'numeric(24,2)', 'double precision', 'text', 'varchar(30)'];
const ANY_TEXT = ['text', 'varchar(80)', 'char(80)'];
const half: ParquetType = { kind: 'float', bits: 16 };

const stamps = ['1970-01-01 00:00:00', '1969-12-31 23:59:59.999', '2024-07-01 22:30:00.5'];
const instants = stamps.map((text) => `${text}+00`);
const micros = [...stamps, '2262-04-11 23:47:16.854775', '0001-01-01 00:00:00.000001'];
const MOMENTS = ['timestamp', 'timestamptz', 'timestamp(0)', 'timestamptz(1)', 'date', 'time'];

export const TWIN_CASES: readonly TwinCase[] = [
  { type: TYPE.boolean, texts: TEXTS.boolean, targets: ['boolean', 'text', 'varchar(5)', 'jsonb'] },
  ...[integer(8, true), integer(16, true), TYPE.int32, TYPE.int64].map((type) => ({
    type,
    texts: ['-128', '127', '0', '5'],
    targets: ['smallint', 'integer', 'real', 'money', 'jsonb', 'interval', 'char(4)', ...WIDE],
  })),
  ...[integer(8, false), integer(16, false), integer(32, false), integer(64, false)].map(
    (type) => ({
      type,
      texts: ['0', '255', '1'],
      targets: ['smallint', 'oid', 'xid', 'xid8', 'real', 'numeric(5,1)', ...WIDE],
    }),
  ),
  { type: TYPE.int32, texts: ['1', '9'], targets: ['tiny', 'positive', 'cents', 'name', '"char"'] },
  { type: TYPE.int32, texts: ['0', '1'], targets: ['boolean', 'bit(1)'] },
  { type: TYPE.int32, texts: TEXTS.int32, targets: ['integer', ...WIDE, 'real'] },
  { type: integer(32, false), texts: TEXTS.uint32, targets: ['oid', 'real', ...WIDE] },
  { type: TYPE.int64, texts: TEXTS.int64, targets: ['real', ...WIDE] },
  { type: integer(64, false), texts: TEXTS.uint64, targets: ['xid8', 'real', ...WIDE.slice(1)] },
  {
    type: TYPE.float,
    texts: TEXTS.float,
    targets: ['real', 'double precision', 'text', 'numeric'],
  },
  {
    type: TYPE.float,
    texts: ['23.4', '-0.1', '123456', '0.005'],
    targets: ['numeric(10,2)', 'money', 'jsonb', 'double precision'],
  },
  { type: TYPE.double, texts: TEXTS.double, targets: ['double precision', 'text', 'numeric'] },
  {
    type: TYPE.double,
    texts: ['0.1', '-7712.48', '3.4e+38', '16777217', '1.000000059604644775390625', 'NaN'],
    targets: ['real', 'numeric(50,3)'],
  },
  { type: TYPE.double, texts: ['0', '-5', '32767'], targets: ['smallint', 'integer', 'bigint'] },
  { type: TYPE.double, texts: ['0.1', '-7.25'], targets: ['jsonb', 'money', 'interval'] },
  { type: TYPE.double, texts: ['1e+22', '1e-07'], targets: ['jsonb', 'numeric', 'text'] },
  {
    type: half,
    texts: ['1', '-2.5', '0.099975586', '65504', '-0'],
    stored: [1, -2.5, 0.1, 65504, -0],
    targets: ['real', 'double precision', 'numeric', 'numeric(8,1)'],
  },
  {
    type: decimal(9, 2),
    texts: ['7712.48', '-0.05', '0.00', '99999.99', '-12345.67'],
    targets: ['real', 'double precision', 'numeric', 'numeric(9,2)', 'numeric(12,4)'],
  },
  {
    type: decimal(18, 3),
    texts: ['7712.485', '-0.005', '999999999999999.999'],
    targets: ['numeric(18,2)', 'numeric(16,0)', 'money', 'jsonb', ...ANY_TEXT],
  },
  { type: decimal(5, 0), texts: ['5', '-7', '0'], targets: ['smallint', 'integer', ...WIDE] },
  {
    type: decimal(38, 10),
    texts: TEXTS.decimal38,
    targets: ['numeric', 'numeric(38,10)', 'numeric(40,4)', 'double precision', 'real', 'text'],
  },
  {
    type: TYPE.date,
    texts: TEXTS.date,
    targets: ['date', 'timestamp', 'timestamptz', 'text', 'char(10)'],
  },
  ...[time('ms', false), time('us', false)].map((type) => ({
    type,
    texts: ['00:00:00', '23:59:59.999', '12:34:56.7'],
    targets: ['time', 'time(0)', 'timetz', 'interval', 'interval(1)', 'text'],
  })),
  { type: time('us', true), texts: TEXTS.timeUs, targets: ['time', 'interval', 'text'] },
  {
    // An instant's zone is UTC, whatever the session's.
    type: time('ms', true),
    stored: [0, 86_399_999],
    texts: ['00:00:00+00', '23:59:59.999+00'],
    targets: ['timetz', 'timetz(0)'],
  },
  ...[timestamp('ms', false), timestamp('us', false)].map((type) => ({
    type,
    texts: stamps,
    targets: [...MOMENTS, 'timetz', ...ANY_TEXT],
  })),
  ...[timestamp('ms', true), timestamp('us', true)].map((type) => ({
    type,
    texts: instants,
    targets: [...MOMENTS, 'timetz', ...ANY_TEXT],
  })),
  { type: timestamp('us', false), texts: micros, targets: MOMENTS },
  { type: timestamp('ns', true), texts: instants, targets: [...MOMENTS, 'text'] },
  {
    type: { kind: 'interval' },
    texts: ['1 year 2 mons 3 days 04:05:06.007', '00:00:00', '30 days'],
    stored: [intervalBytes(14, 3, 14_706_007), intervalBytes(0, 0, 0), intervalBytes(0, 30, 0)],
    targets: ['interval', 'interval day to second', 'interval(1)', 'text'],
  },
  {
    type: { kind: 'interval' },
    texts: ['04:05:06.007'],
    stored: [intervalBytes(0, 0, 14_706_007)],
    targets: ['time'],
  },
  { type: TYPE.uuid, texts: TEXTS.uuid, targets: ['uuid', 'text', 'varchar(36)', 'bytea'] },
  {
    type: { kind: 'enum' },
    texts: ['sad', 'say "hi", twice', ''],
    targets: ['mood', 'text', 'name'],
  },
  {
    type: TYPE.json,
    texts: ['{"a":[1,2.5,null]}', '"text"', '[]'],
    targets: ['json', 'jsonb', 'text', 'varchar(50)'],
  },
  {
    type: { kind: 'bson' },
    texts: ['\\x0500000000', '\\x'],
    targets: ['bytea', 'text'],
  },
  { type: TYPE.binary, texts: TEXTS.binary, targets: ['bytea'] },
  {
    // Old writers mark no text: then the bytes are the text.
    type: TYPE.binary,
    texts: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11'],
    stored: [
      Buffer.from('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
      Buffer.from('A0EEBC999C0B4EF8BB6D6BB9BD380A11'),
    ],
    targets: ['uuid', ...ANY_TEXT],
  },
  {
    type: { kind: 'null' },
    texts: [null],
    targets: ['integer', 'text', 'jsonb', 'date', 'text[]'],
  },
];

/** A value of a Parquet type that a type of table refuses, whichever format brings it. */
export interface RefusedTwin extends Omit<TwinColumn, 'name' | 'texts'> {
  readonly text: string;
  readonly target: string;
}

export const REFUSED_TWINS: readonly RefusedTwin[] = [
  { type: TYPE.int32, text: '32768', target: 'smallint' },
  { type: TYPE.int64, text: '-2147483649', target: 'integer' },
  { type: integer(32, false), text: '4294967295', target: 'integer' },
  { type: integer(64, false), text: '18446744073709551615', target: 'bigint' },
  { type: TYPE.int64, text: '100000', target: 'numeric(5,1)' },
  { type: TYPE.int32, text: '12', target: 'tiny' },
  { type: TYPE.int32, text: '2024', target: 'uuid' },
  { type: TYPE.int32, text: '123456', target: 'varchar(5)' },
  { type: TYPE.double, text: '1.5', target: 'integer' },
  { type: TYPE.double, text: 'NaN', target: 'bigint' },
  { type: TYPE.double, text: '1e+300', target: 'real' },
  { type: TYPE.double, text: 'Infinity', target: 'jsonb' },
  { type: decimal(9, 2), text: '1000.00', target: 'numeric(5,2)' },
  { type: decimal(5, 0), text: '40000', target: 'smallint' },
  { type: TYPE.boolean, text: 'true', target: 'date' },
  { type: TYPE.date, text: '2024-02-29', target: 'integer' },
  { type: TYPE.date, text: '2024-02-29', target: 'time' },
  { type: timestamp('us', true), text: '2024-02-29 12:00:00+00', target: 'interval' },
  {
    type: { kind: 'interval' },
    text: '3 days 04:05:06',
    stored: [intervalBytes(0, 3, 14_706_000)],
    target: 'time',
  },
  { type: TYPE.uuid, text: '00112233-4455-6677-8899-aabbccddeeff', target: 'char(8)' },
  { type: { kind: 'enum' }, text: 'glad', target: 'mood' },
  { type: TYPE.json, text: '{"a":1}', target: 'integer[]' },
  { type: TYPE.string, text: '1.0', target: 'integer' },
  { type: TYPE.string, text: '2024-02-30', target: 'date' },
  { type: TYPE.string, text: '{', target: 'jsonb' },
  { type: TYPE.string, text: 'a0eebc99', target: 'uuid' },
  { type: TYPE.string, text: 'never', target: 'code' },
  { type: TYPE.string, text: 'no such', target: 'regclass' },
  { type: TYPE.string, text: '0', target: 'positive' },
];
