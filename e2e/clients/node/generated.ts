// Compiled with the types that openapi-typescript makes of our document; never run.
import type { components, operations, paths } from './faireplace';

type Json<Operation extends { requestBody?: unknown }> =
  NonNullable<Operation['requestBody']> extends { content: { 'application/json': infer Body } } ? Body : never;
type Answer<Operation, Status extends number> =
  Operation extends { responses: Record<Status, { content: { 'application/json': infer Body } }> } ? Body : never;

const spend: Json<operations['spend']> = {
  credits: 1,
  reference: 'lease-2041',
};
const path: keyof paths = '/api/credits/spend';

function left(answer: Answer<operations['spend'], 200>): number {
  return answer.data.balance_after.available;
}

function kind(failure: components['schemas']['Failure']): string {
  return failure.error.type;
}

export { kind, left, path, spend };
