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

/** Whether no handler is at work for a call any more, at any pod, but for those of the lab itself. */
export async function isIdle(mesh: TestMesh): Promise<boolean> {
  const active = /^telltale_server_calls_active\{grpc_method="telltale\.(?!lab)[^}]*\} ([1-9]\d*)$/m;
  const texts = mesh.all().map(async ({ address }) => (await fetch(`http://${address}:9464/metrics`)).text());
  return (await Promise.all(texts)).every(metrics => !active.test(metrics));
}
