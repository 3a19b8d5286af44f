import { EtlError } from '../errors.ts';
import { readable } from './names.ts';

/** A statement that was refused; the SQL is empty where it was the connection itself. */
interface Denied {
  readonly sql: string;
  readonly role: string;
}

/** What the role may not do, and what to do about it. */
interface Told {
  readonly mayNot: string;
  readonly remedy: string;
}

/**
 * The same refusal (SQLSTATE 42501), with what the engine wanted, on what, and the GRANT that lets it. As far
 * as the server's words and the statement tell: the server names neither the privilege nor, of a table, the
 * schema. In another language than English, or of what is not known here, its words alone are told.
 */
export function toldPrivilege(error: EtlError, denied: Denied): EtlError {
  const { sentence, facts, code } = error.record;
  if (facts.sqlState !== '42501' || code !== 'ETL_PRIVILEGE') return error;
  const words = sentence.replace(/\.$/, '');
  const told = toldOf(words, denied.sql, readable(denied.role));
  if (told === null) return error;
  const who = `The role ${readable(denied.role)} may not ${told.mayNot}`;
  return new EtlError(code, `${who} (${words}).`, told.remedy, facts, { cause: error.cause });
}

function toldOf(words: string, sql: string, role: string): Told | null {
  for (const [pattern, told] of REFUSALS) {
    const match = pattern.exec(words);
    if (match !== null) return told(match[1] ?? '', sql, role);
  }
  return null;
}

/** What the server says, with the name that is in it. */
const REFUSALS: readonly (readonly [RegExp, (name: string, sql: string, role: string) => Told])[] =
  [
    [/^permission denied for database "?([^"]+)"?/, ofDatabase],
    [/^permission denied for schema "?([^"]+)"?$/, ofSchema],
    [/^permission denied for (?:foreign )?(?:table|view) "?([^"]+)"?$/, ofTable],
    [/^permission denied for sequence "?([^"]+)"?$/, ofSequence],
    [/^permission denied for function "?([^"]+)"?$/, ofFunction],
    [/^permission denied for type "?([^"]+)"?$/, ofType],
    [/^permission denied to create temporary tables in database "(.+)"$/, ofTemporary],
    [/^must be owner of (?:table|relation|index) "?([^"]+)"?$/, ofOwner],
  ];

function ofDatabase(name: string, sql: string, role: string): Told {
  const right = sql === '' ? 'connect' : 'create';
  return {
    mayNot:
      sql === '' ? `connect to the database ${readable(name)}` : 'create a schema in the database',
    remedy: `Let who owns the database run: grant ${right} on database ${readable(name)} to ${role};`,
  };
}

function ofSchema(name: string, sql: string, role: string): Told {
  const schema = readable(name);
  const creates = /\bcreate (?:unlogged )?(?:table|(?:unique )?index)\b/.test(sql);
  const grant = (rights: string): string =>
    `Let who owns the schema run: grant ${rights} on schema ${schema} to ${role};`;
  if (name === ledgerSchemaIn(sql)) {
    const what = creates ? 'create tables in' : 'use';
    return {
      mayNot: `${what} the schema ${schema}, where the ledger of what is loaded is kept`,
      remedy: grant('usage, create'),
    };
  }
  if (sql.includes(`."staging_`)) {
    return {
      mayNot: `create a table in the schema ${schema} of the ledger, where the rows of partitioned loads are staged`,
      remedy: grant('usage, create'),
    };
  }
  return creates
    ? {
        mayNot: `create a table in the schema ${schema}`,
        remedy: `${grant('create')} Or let somebody create the table, and load into it.`,
      }
    : {
        mayNot: `use the schema ${schema}, in which a table of the job, or what it is made of, lies`,
        remedy: grant('usage'),
      };
}

function ofTable(name: string, sql: string, role: string): Told {
  const ledger = ledgerSchemaIn(sql);
  if (ledger !== null && LEDGER_TABLES.includes(name)) {
    const schema = readable(ledger);
    const deletes = /\bdelete from\b/.test(sql) ? ', delete' : '';
    const reads = rightsOn(sql).length === 1 && deletes === '';
    return {
      mayNot: `read and write ${schema}.${name}, a table of the ledger of what is loaded`,
      remedy: `Let who owns the ledger run: grant select, insert, update${deletes} on all tables in schema ${schema} to ${role};${reads ? ' (To etl history and etl verify, select is enough.)' : ''}`,
    };
  }
  const table = readable(...qualified(sql, name));
  const rights = rightsOn(sql);
  return {
    mayNot: `${rights.length === 1 ? 'read' : 'read and write'} ${table}, which takes ${rights.join(', ').replace(/, (\w+)$/, ' and $1')} there`,
    remedy: `Let who owns it run: grant ${rights.join(', ')} on ${table} to ${role};`,
  };
}

/** RETURNING, a conflict and a condition read what is written. */
function rightsOn(sql: string): readonly string[] {
  if (!/\binsert into\b|\bcopy\b[^;]*\bfrom stdin\b|\bupdate "/.test(sql)) return ['select'];
  const inserts = /\binsert into\b/.test(sql) && !/\bdo update\b/.test(sql);
  return inserts ? ['select', 'insert'] : ['select', 'insert', 'update'];
}

/** A serial or an identity column has its sequence in the schema of its table. */
function ofSequence(name: string, sql: string, role: string): Told {
  const schema = new RegExp(`insert into ${IN_QUOTES}\\.${IN_QUOTES}`).exec(sql)?.[1];
  const sequence = schema === undefined ? readable(name) : readable(bare(schema), name);
  return {
    mayNot: `use the sequence ${sequence}, which numbers a column that no file brings`,
    remedy: `Let who owns it run: grant usage on sequence ${sequence} to ${role};`,
  };
}

function ofFunction(name: string, _: string, role: string): Told {
  return {
    mayNot: `call the function ${name}, which the table, a type of it or a trigger needs`,
    remedy: `Let who owns it run: grant execute on function ${readable(name)} to ${role};`,
  };
}

function ofType(name: string, _: string, role: string): Told {
  return {
    mayNot: `use the type ${name}, which a column of the job has`,
    remedy: `Let who owns it run: grant usage on type ${readable(name)} to ${role};`,
  };
}

function ofTemporary(name: string, _: string, role: string): Told {
  return {
    mayNot: `create temporary tables in the database ${readable(name)}, in which rows are staged before they are merged`,
    remedy: `Let who owns the database run: grant temporary on database ${readable(name)} to ${role};`,
  };
}

function ofOwner(name: string, sql: string, role: string): Told {
  const table = readable(...qualified(sql, name));
  return {
    mayNot: `index or alter ${table}, which only who owns it may`,
    remedy: `Let who owns it do so, or make ${role} a member of that role.`,
  };
}

const IN_QUOTES = '"((?:[^"]|"")+)"';

/** The ledger's tables are written with their schema in quotes alone, all others with both names in them. */
const LEDGER_TABLES = [
  ...['migration', 'run', 'ledger', 'load', 'file'],
  ...['reject', 'corrected', 'survivor'],
];

function ledgerSchemaIn(sql: string): string | null {
  const found = new RegExp(`${IN_QUOTES}\\.(?:${LEDGER_TABLES.join('|')})\\b`).exec(sql)?.[1];
  return found === undefined ? null : bare(found);
}

/** The schema, if the statement says it, and the name. */
function qualified(sql: string, name: string): readonly string[] {
  const tables = [...sql.matchAll(new RegExp(`${IN_QUOTES}\\.${IN_QUOTES}`, 'g'))];
  const [, schema] = tables.find(([, , table]) => bare(table) === name) ?? [];
  return schema === undefined ? [name] : [bare(schema), name];
}

function bare(text = ''): string {
  return text.replaceAll('""', '"');
}
