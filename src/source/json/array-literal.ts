import { afterSpace, afterValue, type JsonBytes } from './json-bytes.ts';
import { valueText } from './string-text.ts';

/**
 * A JSON array in the spelling of a PostgreSQL array: `["a", null, 2]` is `{"a",NULL,"2"}`. An array
 * within it is a further dimension, but where the elements are JSON themselves.
 *
 * @param at of the opening bracket; the value has been passed before, so it is JSON
 */
export function arrayLiteral(json: JsonBytes, at: number, elementsAreJson: boolean): string {
  const elements: string[] = [];
  let next = afterSpace(json, at + 1);
  while (json.bytes[next] !== CLOSE_BRACKET) {
    const end = afterValue(json, next);
    elements.push(elementText(json, next, end, elementsAreJson));
    next = afterSpace(json, end);
    if (json.bytes[next] === COMMA) next = afterSpace(json, next + 1);
  }
  return `{${elements.join(',')}}`;
}

const [COMMA, OPEN_BRACKET, CLOSE_BRACKET, SMALL_N] = [44, 91, 93, 110] as const;

function elementText(json: JsonBytes, at: number, end: number, asJson: boolean): string {
  const { bytes } = json;
  if (bytes[at] === SMALL_N) return 'NULL';
  if (bytes[at] === OPEN_BRACKET && !asJson) return arrayLiteral(json, at, asJson);
  const text = asJson ? bytes.toString('utf8', at, end) : valueText(bytes, at, end);
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
