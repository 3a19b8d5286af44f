export type {
  FileFailure,
  MergedUnit,
  StagedUnit,
  UnitSession,
  UnitWorkers,
} from '../load/unit-session.ts';
