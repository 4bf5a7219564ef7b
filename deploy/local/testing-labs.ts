import assert from 'node:assert/strict';
import type { KubeObject } from './manifest.ts';
import type { TestMesh } from './testing-mesh.ts';

/** Has the lab's pod run another program: a file of this folder that serves a lab of its own. For the `transform` of a mesh. */
export const labFrom =
  (file: string) =>
  (objects: KubeObject[]): KubeObject[] => {
    const text = JSON.stringify(objects);
    const changed = text.replace('"services/lab/main.ts"', JSON.stringify(`deploy/local/${file}`));
    assert.notEqual(changed, text, 'the manifests have no lab');
    return JSON.parse(changed);
  };

/** Whether the metrics of a pod say that a handler is at work for a call, but for those of the lab itself. */
export function isWorking(metrics: string): boolean {
  return /^telltale_server_calls_active\{grpc_method="telltale\.(?!lab)[^}]*\} ([1-9]\d*)$/m.test(metrics);
}

/** Whether no handler is at work any more, at any pod. */
export async function isIdle(mesh: TestMesh): Promise<boolean> {
  const texts = mesh.all().map(async ({ address }) => (await fetch(`http://${address}:9464/metrics`)).text());
  return !(await Promise.all(texts)).some(isWorking);
}
