import type { LoadTask } from '../load/unit-task.ts';
import { withPlannedLookups } from '../plan/lookup-columns.ts';
import { couplingsOf, mayRefuse, refusingColumns } from '../plan/couplings.ts';
import type { FilePlan, LoadPlan } from '../plan/plan-types.ts';
import type { Target } from '../plan/target-table.ts';
import { ORIGINS_VERSION } from '../target/ledger-schema.ts';
import type { MergeTarget } from '../target/merge-sql.ts';
import type { TargetTable } from '../target/table.ts';
import type { LoadQuarantine } from './load-quarantine.ts';
import type { RunContext } from './run-context.ts';

/** `deterministic: false` drops this order as well. `files`: with what they bring for the table. */
export function coupledBy(
  { settings }: Pick<RunContext['plan'], 'settings'>,
  target: Pick<Target, 'existing' | 'planned' | 'key'>,
  files: readonly FilePlan[],
): Pick<MergeTarget, 'coupled' | 'checkedLate' | 'coupledColumns'> {
  const couplings = couplingsOf(target, files);
  if (!settings.deterministic || !mayRefuse(couplings)) return {};
  const columns = target.existing === null ? null : refusingColumns(target.existing, couplings);
  return {
    coupled: true,
    ...(target.existing?.checkedLate === true ? { checkedLate: true } : {}),
    ...(columns === null ? {} : { coupledColumns: columns }),
  };
}

/** What the workers are told of a load. */
export function loadTask(
  { plan, runId, startedAt, ledgerVersion }: RunContext,
  load: LoadPlan,
  table: TargetTable,
  { quarantine }: LoadQuarantine,
): LoadTask {
  return {
    target: {
      schema: table.schema,
      name: table.name,
      ...(table.inherited === true ? { inherited: true } : {}),
      // The columns of a unique index may be NULL, and two NULLs are two rows to it; but a row without
      // a key is one that no later file could meet, so it is refused.
      columns: withPlannedLookups(table.columns, load.table).map((column) =>
        load.key.includes(column.name) ? { ...column, notNull: true } : column,
      ),
      ...coupledBy(plan, { existing: table, planned: load.table, key: load.key }, load.files),
      key: load.key,
      onConflict: load.onConflict,
      versionColumn: load.versionColumn,
      ...(load.insertOnly === undefined ? {} : { insertOnly: load.insertOnly }),
      ...(load.compare === undefined ? {} : { compare: load.compare }),
    },
    sqlName: table.sqlName,
    ledger: {
      schema: plan.settings.ledgerSchema,
      runId,
      planId: plan.planId,
      tableOid: table.oid,
      tableName: table.sqlName,
      fingerprint: load.fingerprint,
      strategy: load.strategy,
      ...(ledgerVersion >= ORIGINS_VERSION ? { origins: true as const } : {}),
    },
    utf8: plan.server.encoding === 'UTF8',
    countRows: table.rowTriggers.length > 0,
    insertsOnly: table.rules.length > 0 || table.rowSecurity === true,
    subBatchSize: plan.settings.subBatchSize,
    startedAt: startedAt.toISOString(),
    quarantine,
  };
}
