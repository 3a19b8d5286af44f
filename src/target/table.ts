/** What the catalog says of a target table: plain data, read by `read-table.ts`. */

/** How a type relates to the engine's needs. */
export interface TargetType {
  /** As format_type() prints it, with its modifier: `numeric(10,2)`, `app.mood`. For DDL. */
  readonly declared: string;
  /** Schema-qualified and quoted, without a modifier: `"pg_catalog"."numeric"`. For casts, since a
   * cast to `varchar(5)` cuts silently, where an assignment refuses. */
  readonly cast: string;
  /** pg_type.typname of the type, of the base type where it is a domain: `int4`, `text`, `_int4`. With
   * its schema where it is none of PostgreSQL's own types and only bears the name of one. */
  readonly typeName: string;
  readonly kind: 'base' | 'enum' | 'domain' | 'composite' | 'range' | 'multirange' | 'array';
  /** Of a domain whose base type has a modifier (the length of a varchar): that modifier. */
  readonly baseModifier?: number;
  /** Quoted schema of a type, or of a domain's base type, that has operators of its own there: those of
   * an extension (citext). */
  readonly operatorSchema?: string;
  /** typname of an array's elements. */
  readonly element: string | null;
  /** Whether hash_record_extended() can hash it (money, bit and tsvector it cannot). */
  readonly hashable: boolean;
  /** Whether equal values have equal bytes, so that a key has one spelling. False for numeric
   * (1.0 = 1.00), citext, floats (0 = -0), interval, jsonb, text of nondeterministic collation. */
  readonly bytewise: boolean;
}

export interface TargetColumn {
  readonly name: string;
  readonly type: TargetType;
  readonly notNull: boolean;
  /** Qualified and quoted, where it is not the default of the type: staging must compare alike. */
  readonly collation: string | null;
  readonly hasDefault: boolean;
  /** Its default gives each row a value of its own: an identity, a sequence, a random UUID. */
  readonly distinctDefault?: true;
  /** `stored` and `virtual` cannot be written; `identityAlways` needs OVERRIDING SYSTEM VALUE. */
  readonly generated: 'no' | 'stored' | 'virtual' | 'identityAlways' | 'identityByDefault';
  /** Where its values are found, if the files bring something else in their place. */
  readonly lookup?: ColumnLookup;
}

/** The table that has the values of a column beside those that the files bring. Plain JSON. */
export interface ColumnLookup {
  readonly schema: string;
  readonly table: string;
  /** As people write it. */
  readonly sqlName: string;
  /** The column that must equal what the files bring; a unique index has it alone. */
  readonly match: Pick<TargetColumn, 'name' | 'type' | 'collation'>;
  /** The column whose value is taken; it is not null. */
  readonly id: string;
  /** Case to which values are brought before they are compared. */
  readonly fold: 'upper' | 'lower' | null;
  /** Whether a row is created for a value that has none. */
  readonly insertMissing: boolean;
  /** True: a row without a value is bad, too; false: a value that is not found gives NULL. */
  readonly required?: boolean;
  /** What a created row gets beside the value; absent: nothing. */
  readonly set?: LookupSet;
}

/** The columns of a created row that are taken from those of the files. */
export interface LookupSet {
  /** They may be NULL here, since a row that is there needs none of them. */
  readonly columns: readonly TargetColumn[];
  /** Place of its view among those of the staging table; see joint-staging.ts. */
  readonly view: number;
}

export interface UniqueIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primary: boolean;
  /**
   * Usable as the arbiter of ON CONFLICT (columns): plain columns, no predicate, not deferrable, and
   * of the table itself; and what is equal to it is equal to the columns' own collations.
   */
  readonly arbiter: boolean;
}

/** Something that couples rows of different keys, so that the order of merges could matter. */
export interface Coupling {
  readonly kind:
    | 'unique index'
    | 'exclusion constraint'
    | 'row trigger'
    | 'statement trigger'
    | 'rule'
    | 'self-reference'
    | 'foreign key'
    | 'key not hashable';
  readonly name: string;
  /** For the plan: `unique index users_email_key could make the order matter`. */
  readonly sentence: string;
}

export interface TargetTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** `orders` or `app.orders`, quoted where SQL needs it. */
  readonly sqlName: string;
  readonly columns: readonly TargetColumn[];
  readonly primaryKey: readonly string[] | null;
  readonly uniqueIndexes: readonly UniqueIndex[];
  /** Couplings other than those that depend on the chosen key. */
  readonly exclusionConstraints: readonly string[];
  /** One of its unique indexes or exclusions is deferrable: checked when a statement ends, not row by row. */
  readonly checkedLate?: true;
  readonly rowTriggers: readonly string[];
  /** Absent: none. */
  readonly statementTriggers?: readonly string[];
  readonly rules: readonly string[];
  readonly selfReferences: readonly string[];
  /** Whether COPY does to it what INSERT does: no partitions, row security or statement triggers. */
  readonly copiesLikeInsert: boolean;
  /** Other tables inherit from it, and no partitions: their rows are not its own, nor is its key theirs. */
  readonly inherited?: true;
  /** A crash of the server empties it. */
  readonly unlogged?: true;
  /** Its policies hold for this role. */
  readonly rowSecurity?: true;
  /** pg_class.reltuples, or 0. */
  readonly estimatedRows: number;
  readonly bytes: number;
  readonly empty: boolean;
}

export interface ServerInfo {
  /** For example 150018. */
  readonly versionNumber: number;
  readonly version: string;
  readonly database: string;
  readonly user: string;
  /** host:port or the socket's folder; never a password. */
  readonly address: string;
  readonly encoding: string;
  readonly maxConnections: number;
  readonly connectionsUsed: number;
  readonly maxPreparedTransactions: number;
  readonly inRecovery: boolean;
}
