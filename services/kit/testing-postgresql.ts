import { execFile, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

/** Where Debian and its relatives put the server's programs, one folder per major version. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** A PostgreSQL server that lives as long as a test. */
export interface TestPostgresql {
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Ends the server and every connection at once, as a crash would; `start` brings it back with its data. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** The folder of initdb and postgres, from PATH or the newest that a package installed; undefined when there is none. */
export async function findPostgresql(): Promise<string | undefined> {
  const versions = await readdir(DEBIAN_FOLDER).catch((): string[] => []);
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map(version => join(DEBIAN_FOLDER, version, 'bin'));
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...newestFirst]) {
    const programs = await readdir(folder).catch((): string[] => []);
    if (programs.includes('initdb') && programs.includes('postgres')) return folder;
  }
  return undefined;
}

/**
 * Starts a server with an empty cluster in a new temporary folder. It listens on a Unix socket in that folder and on no
 * network address. When this process is root, which the server refuses to be, it runs as `postgres`, else as `nobody`.
 *
 * @param programs what {@link findPostgresql} found
 */
export async function startPostgresql(programs: string): Promise<TestPostgresql> {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-pg-'));
  const identity = process.getuid?.() === 0 ? await unprivileged() : {};
  if (identity.uid !== undefined && identity.gid !== undefined) await chown(folder, identity.uid, identity.gid);
  const options = { ...identity, cwd: folder };
  const data = join(folder, 'data');
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'telltale', '-A', 'trust', '-E', 'UTF8', '--no-locale'], options);
  const url = (database: string) => `postgresql://telltale@localhost/${database}?host=${encodeURIComponent(folder)}`;
  let server = await startServer(programs, data, folder, options);
  await ready(url('postgres'), server);
  let databases = 0;

  async function end(signal: NodeJS.Signals) {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  }

  return {
    async createDatabase() {
      const name = `test_${++databases}`;
      await administer(url('postgres'), `CREATE DATABASE ${name}`);
      return url(name);
    },
    crash: () => end('SIGQUIT'),
    async start() {
      server = await startServer(programs, data, folder, options);
      await ready(url('postgres'), server);
    },
    async stop() {
      await end('SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Server = Awaited<ReturnType<typeof startServer>>;

async function startServer(programs: string, data: string, folder: string, options: SpawnOptions) {
  const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'max_connections=40', 'shared_buffers=16MB'];
  const server = spawn(join(programs, 'postgres'), ['-D', data, ...settings.flatMap(setting => ['-c', setting])], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log: string[] = [];
  server.stderr?.setEncoding('utf8').on('data', (text: string) => log.push(text));
  await once(server, 'spawn');
  const kill = () => server.kill('SIGQUIT'); // a test that crashes must not leave its server behind
  process.once('exit', kill);
  server.once('exit', () => process.off('exit', kill));
  return Object.assign(server, { log });
}

async function ready(url: string, server: Server): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}:\n${server.log.join('')}`);
    try {
      return await administer(url, 'SELECT 1');
    } catch {
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
}

async function administer(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

async function unprivileged(): Promise<{ uid?: number; gid?: number }> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!user) throw new Error('as root, PostgreSQL needs a user named postgres or nobody to run as');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}
