import { mkdirSync } from 'node:fs';
import { type Deployments, startDeployments } from './deployments.ts';
import type { KubeObject } from './manifest.ts';
import type { TestFolder } from './testing-chart.ts';

/** Runs objects as the mesh does, without helm and Envoy; everything is killed when it is disposed. */
export async function runObjects(folder: TestFolder, objects: readonly KubeObject[]): Promise<Deployments & AsyncDisposable> {
  for (const dir of [folder.paths.logs, folder.paths.pods]) mkdirSync(dir, { recursive: true });
  const running = await startDeployments({ objects, paths: folder.paths, envoy: process.execPath, secrets: new Map() });
  return {
    ...running,
    async [Symbol.asyncDispose]() {
      await running.stopPods(0);
      await running.stop();
    },
  };
}
