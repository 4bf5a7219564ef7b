import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import type { Conditions } from './result.ts';

/** The conditions that every run of this process shares. */
export type Surroundings = Pick<Conditions, 'versions' | 'mode' | 'cores' | 'platform'>;

/** How long Envoy may take to say its version, in milliseconds. */
const ADMIN_TIMEOUT_MS = 1000;

/** Finds out what the lab runs on. `sidecarAdmin` is the URL of its Envoy's admin interface. */
export async function surroundings(mode: Conditions['mode'], sidecarAdmin: string | undefined): Promise<Surroundings> {
  const packageOf = (url: URL | string) => (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
  const envoy = sidecarAdmin === undefined ? 'none' : await envoyVersion(sidecarAdmin);
  return {
    versions: {
      telltale: packageOf(new URL('../../package.json', import.meta.url)),
      node: process.versions.node,
      'grpc-js': packageOf(createRequire(import.meta.url).resolve('@grpc/grpc-js/package.json')),
      envoy,
    },
    mode,
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}, ${cpus()[0]?.model.trim() ?? 'unknown CPU'}`,
  };
}

async function envoyVersion(admin: string): Promise<string> {
  try {
    const response = await fetch(new URL('/server_info', admin), { signal: AbortSignal.timeout(ADMIN_TIMEOUT_MS) });
    const { version } = (await response.json()) as { version: string };
    return version.split('/')[1] ?? version; // revision/version/status/type/TLS library
  } catch {
    return 'unknown';
  }
}
