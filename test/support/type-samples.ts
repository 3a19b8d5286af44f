/**
 * Texts of every base type, range and multirange that PostgreSQL ships, as its own input reads
 * them: ordinary values, edges, and different spellings of one value. By pg_type.typname.
 */
export const TYPE_SAMPLES: Readonly<Record<string, readonly string[]>> = {
  // Numbers
  int2: ['0', '-32768', '32767', ' 42 '],
  int4: ['0', '-2147483648', '2147483647', '+7'],
  int8: ['0', '-9223372036854775808', '9223372036854775807', '9007199254740993'],
  oid: ['0', '4294967295', '-1'],
  float4: ['0', '-0', '1.1', '3.4028235e38', '1e-37', 'NaN', 'Infinity', '-inf', '16777217'],
  float8: ['0', '-0', '0.1', '1.7976931348623157e308', '1e-300', 'NaN', 'Infinity', '-inf'],
  numeric: [
    ...['0', '1', '1.0', '1.00', '-0', 'NaN', 'Infinity', '-Infinity', '1e-20', '1e40'],
    '123456789012345678901234567890.123456789',
  ],
  money: ['1234.56', '-5', '0.005', '92233720368547758.07'],
  bool: ['t', 'false', 'yes', 'off', '1', ' TRUE '],
  // Text and bytes
  text: [
    ...['plain', '', ' a ', 'line\nbreak', 'cr\r\nlf', 'say "hi"', '\\.', '\\N', 'NULL', 'a,b'],
    ...['Zürich 東京 \u{1f600}', '\t', "it's", '"'],
  ],
  varchar: ['plain', '', 'trailing  ', 'quoted "x"', 'é'],
  bpchar: ['ab', 'ab  ', '', 'é  ', 'a,b'],
  name: ['plain', 'Mixed "Case"', '', `long ${'é'.repeat(40)}`],
  char: ['a', '', 'Z', 'more than one', '\\101'],
  bytea: ['\\x', '\\x00ff10', '\\xDEADBEEF', 'abc\\000def', '\\\\', 'a "b", c'],
  refcursor: ['portal 1', ''],
  // Dates and times
  date: [
    ...['2024-02-29', 'infinity', '-infinity', '0044-03-15 BC', '4713-11-24 BC', '5874897-12-31'],
    ...['20240131', 'J2451187', 'January 8, 1999', 'epoch'],
  ],
  time: ['00:00:00', '24:00:00', '23:59:59.999999', '04:05 PM', '23:59:60', '12:34:56.1234567'],
  timetz: ['24:00:00+00', '04:05:06-08', '12:05:06+00', '04:05:06.789 PST', '00:00:00+15:59'],
  timestamp: [
    ...['2024-02-29 12:00:00', 'infinity', '-infinity', '4713-11-24 00:00:00 BC', 'epoch'],
    ...['294276-12-31 23:59:59.999999', '2024-02-29 23:59:59.9999999', '2024-02-29T12:00:00Z'],
  ],
  timestamptz: [
    ...['2024-02-29 12:00:00+00', '2024-02-29 13:00:00+01', '2024-10-27 02:30:00 Europe/Berlin'],
    ...['infinity', '-infinity', '0044-03-15 12:00:00+00 BC', '294276-12-31 23:59:59.999999+00'],
    '2024-02-29 12:00:00',
  ],
  interval: [
    ...['1 year 2 mons 3 days 04:05:06.789', 'P1Y2M3DT4H5M6S', '1 month', '30 days', '24:00:00'],
    ...['-178000000 years', '@ 1 minute ago', '1 day', '0'],
  ],
  // Networks and identifiers
  inet: ['192.168.0.1/24', '10.0.0.1', '10.0.0.1/32', '::1', '2001:db8::/32'],
  cidr: ['10.0.0.0/8', '10', '192.168.1.1', '2001:db8::/32'],
  macaddr: ['08:00:2b:01:02:03', '08002b:010203', 'ff-ff-ff-ff-ff-ff'],
  macaddr8: ['08:00:2b:01:02:03:04:05', '08002b0102030405', '08:00:2b:01:02:03'],
  uuid: [
    ...['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11'],
    ...['{00000000-0000-0000-0000-000000000000}', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ],
  pg_lsn: ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF'],
  // Documents and search
  json: ['{"a":1, "b":[1,2]}', '"text"', 'null', ' [1.50] ', '{"a":1,"a":2}', '"\\u00e9"'],
  jsonb: ['{"b":1, "a":2}', '"text"', 'null', '[1.50]', '[1.5]', '{"a":1,"a":2}', '1e5'],
  jsonpath: ['$.a[*] ? (@ > 1)', 'strict $', '$."a b"'],
  xml: ['<a b="c">é</a>', 'only text', '', '<?xml version="1.0" encoding="UTF-8"?><a/>'],
  tsvector: ["'a' fat:2,4 cat:3A", '', "'it''s' 'a,b'"],
  tsquery: ['fat & (rat | cat:*)', '!a <-> b', "'a b'"],
  // Geometry
  point: ['(1,2)', '1.5, -2', '(NaN,Infinity)'],
  lseg: ['[(0,0),(1,1)]', '0,0,1,1'],
  line: ['{1,-1,0}', '[(0,0),(1,1)]'],
  box: ['(2,2),(0,0)', '(0,0),(2,2)'],
  path: ['((0,0),(1,1))', '[(0,0),(1,1)]'],
  polygon: ['((0,0),(1,1),(1,0))', '((0,0))'],
  circle: ['<(0,0),5>', '(1,1),2'],
  // Bits
  bit: ['101', '0', '', '111100001111', 'x1F'],
  varbit: ['', '101', '1010', 'x1F'],
  // Ranges
  int4range: ['[1,10)', '[1,9]', 'empty', '(,5]', '[3,3)', '(,)'],
  int8range: ['[1,10)', 'empty', '[9223372036854775806,)'],
  numrange: ['[1.0,2.00)', '[1,2)', '(,)', 'empty'],
  tsrange: ['["2010-01-01 14:30","2010-01-01 15:30")', '[infinity,infinity]', 'empty'],
  tstzrange: ['["2010-01-01 14:30+00","2010-01-01 15:30+00")', '["2010-01-01 15:30+01",)'],
  daterange: ['[2024-01-01,2024-02-01)', '[2024-01-01,2024-01-31]', '[-infinity,infinity]'],
  int4multirange: ['{}', '{[1,3),[5,7)}', '{[1,3),[2,7)}'],
  int8multirange: ['{}', '{[1,3),[5,7]}'],
  nummultirange: ['{[1.0,2.0]}', '{[1,2]}', '{(,)}'],
  tsmultirange: ['{["2010-01-01 14:30","2010-01-01 15:30")}', '{}'],
  tstzmultirange: ['{["2010-01-01 14:30+00","2010-01-01 15:30+00")}', '{}'],
  datemultirange: ['{[2024-01-01,2024-02-01),[2024-02-01,2024-03-01)}', '{}'],
  // Names of the catalog's objects
  regclass: ['pg_class', '"pg_type"', 'pg_catalog.pg_class', '-', '1259'],
  regtype: ['int4', 'integer', 'timestamp with time zone', '"char"'],
  regproc: ['now', 'version', '-'],
  regprocedure: ['sum(integer)', 'abs(bigint)'],
  regoper: ['||/', '0'],
  regoperator: ['+(integer,integer)', '*(bigint,bigint)'],
  regrole: ['pg_monitor', 'pg_signal_backend'],
  regnamespace: ['pg_catalog', 'information_schema'],
  regconfig: ['english', 'simple'],
  regdictionary: ['english_stem', 'simple'],
  regcollation: ['"C"', '"POSIX"'],
  aclitem: ['pg_monitor=r/pg_monitor', '=arwdDxt/pg_monitor'],
  // The server's own counters
  tid: ['(0,1)', '(4294967295,65535)'],
  xid: ['1', '4294967295'],
  xid8: ['1', '18446744073709551615'],
  cid: ['1', '4294967295'],
  txid_snapshot: ['10:20:10,14,15', '1:1:'],
  pg_snapshot: ['10:20:10,14,15', '1:1:'],
  int2vector: ['1 2 3', '-5'],
  oidvector: ['1 2 3', '4294967295'],
};

/** Values that older servers refuse, by the version that knows them. */
export const LATER_SAMPLES: readonly {
  readonly since: number;
  readonly type: string;
  readonly texts: readonly string[];
}[] = [
  { since: 160_000, type: 'int4', texts: ['0x1F', '1_000'] },
  { since: 170_000, type: 'interval', texts: ['infinity', '-infinity'] },
];

/**
 * Types that no text can be loaded into, however it is done: the server makes these values itself
 * and refuses every input.
 */
export const NO_INPUT: ReadonlySet<string> = new Set([
  ...['pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'gtsvector'],
  ...['pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary'],
]);

/** Types that a database makes for itself, with their samples. */
export const USER_TYPES: readonly {
  readonly name: string;
  readonly ddl: string;
  readonly texts: readonly string[];
}[] = [
  {
    name: 'mood',
    ddl: `create type mood as enum ('sad', 'ok', 'say "hi", twice', '')`,
    texts: ['sad', 'ok', 'say "hi", twice', ''],
  },
  {
    name: 'positive',
    ddl: 'create domain positive as integer check (value > 0)',
    texts: ['1', '7'],
  },
  { name: 'tiny', ddl: 'create domain tiny as positive check (value < 10)', texts: ['1', '9'] },
  {
    name: 'cents',
    ddl: 'create domain cents as numeric(10,2) check (value >= 0)',
    texts: ['1', '1.004', '1.00', '0.005'],
  },
  {
    name: 'code',
    ddl: `create domain code as varchar(5) check (value <> 'never')`,
    texts: ['abc', '', 'abcde', 'abc     '],
  },
  {
    name: 'blind',
    ddl: `create collation case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
          create domain blind as text collate case_blind`,
    texts: ['key', 'KEY', 'Other', ''],
  },
  { name: 'counts', ddl: 'create domain counts as integer[]', texts: ['{1,2}', '{}', '{NULL}'] },
  {
    name: 'pair',
    ddl: 'create type pair as (n integer, t text, a numeric[])',
    texts: ['(1,a,"{1.0,2}")', '(,,)', '(1,"a, ""b""",)', '(2,"",{NULL})'],
  },
  {
    name: 'textrange',
    ddl: 'create type textrange as range (subtype = text, collation = "C")',
    texts: ['[a,b)', '["a, b",c]', 'empty'],
  },
];

/**
 * Values of an array whose elements have these texts: one dimension with NULL, two dimensions,
 * none, and a lower bound of its own.
 */
export function arraySamples(texts: readonly string[], delimiter: string): string[] {
  const items = texts.map(arrayItem);
  const first = items[0] ?? 'NULL';
  const last = items.at(-1) ?? 'NULL';
  const d = delimiter;
  return [
    `{${[...items, 'NULL'].join(d)}}`,
    '{}',
    `{{${first}${d}${last}}${d}{NULL${d}${first}}}`,
    `[-1:0]={${last}${d}${first}}`,
  ];
}

function arrayItem(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
