import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { repo } from '../local/paths.ts';

/** A command that installs packages of npm, and what must be in it. */
const INSTALLS =
  /\b(?:npm|pnpm|yarn)['"]?,? *\[?['"]?(?:ci|clean-install|i|in|install|add|update|up|exec|x)\b|\bnpx\b|\b(?:pnpm|yarn)\b/;

/** The commands of a file that install otherwise than by `npm ci --ignore-scripts`: file, line, command. */
function wrongInstalls(file: string, text: string): string[] {
  // a command may go on in the next line
  const lines = text.replaceAll('\\\n', '  ').split('\n');
  return lines.flatMap((line, index) => {
    const command = line.replace(/^\s*(#|\/\/|\*).*/, '');
    if (!INSTALLS.test(command) || /\bnpm ci\b[^;&|]*--ignore-scripts\b/.test(command)) return [];
    return [`${file}:${index + 1}: ${command.trim()}`];
  });
}

/** The programs of the repository: its scripts, sources, and files that hold commands. */
function programs(): string[] {
  const files = [
    'Makefile',
    'Tiltfile',
    'package.json',
    '.ci/*',
    'deploy/Dockerfile',
    '{charts,deploy,services}/**/*.{ts,py,yaml,tpl}',
  ];
  return globSync(files, { cwd: repo, exclude: ['deploy/supply/**'] });
}

describe('installing', () => {
  it('is done by npm ci --ignore-scripts in every program of the repository', () => {
    const files = programs();
    for (const file of ['Makefile', 'deploy/Dockerfile', 'package.json', '.ci/run', 'deploy/local/tools.ts'])
      assert.ok(files.includes(file), file);
    // what is installed already, or the repository's own: a hint for the reader, and the command line of the lab
    const installed = /npx buf curl|npx telltale\b|'npx', \['--no'/;
    const wrong = files.flatMap(file => wrongInstalls(file, readFileSync(join(repo, file), 'utf8')));
    assert.deepEqual(
      wrong.filter(line => !installed.test(line)),
      [],
    );
  });

  for (const command of [
    'npm ci',
    'npm ci --no-audit && echo --ignore-scripts',
    'RUN npm install --ignore-scripts',
    'cd x; npm i left-pad',
    "execFile('npm', ['install', 'x'])",
    '"postinstall": "npx patch-package"',
    'npm exec x',
    'yarn',
    'npm ci \\\n  --omit=dev',
  ]) {
    it(`that is ${JSON.stringify(command)} is found`, () => {
      assert.equal(wrongInstalls('a', `true\n${command}\n`).length, 1);
    });
  }

  it('has no script of our own that npm would run at it', () => {
    const { scripts } = JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const hooks = /^(pre|post)?(install|uninstall|prepare|prepublish|prepublishOnly|pack|dependencies)$/;
    assert.deepEqual(
      Object.keys(scripts).filter(name => hooks.test(name)),
      [],
    );
  });

  it('runs no script of a package, with .npmrc alone; without it, it does', () => {
    assert.equal(installedWith(readFileSync(join(repo, '.npmrc'), 'utf8')), 'no script');
    assert.equal(installedWith(''), 'the script');
  });
});

/** Installs a package of a folder that has an installation script, in a project with this .npmrc; tells what was run. */
function installedWith(npmrc: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-npmrc-'));
  try {
    const [project, dependency] = [join(folder, 'project'), join(folder, 'dependency')];
    for (const each of [project, dependency]) mkdirSync(each);
    const script = "require('fs').writeFileSync(process.env.INIT_CWD + '/ran', '')";
    writeFileSync(join(dependency, 'postinstall.js'), script);
    const manifest = { name: 'dependency', version: '1.0.0', scripts: { postinstall: 'node postinstall.js' } };
    writeFileSync(join(dependency, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0', private: true }));
    writeFileSync(join(project, '.npmrc'), npmrc);
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
    // a user's own settings must not decide
    const args = ['install', '--offline', '--no-audit', '--no-fund', '--install-links', `--userconfig=${join(folder, 'none')}`];
    execFileSync('npm', [...args, dependency], { cwd: project, env, stdio: 'ignore' });
    return existsSync(join(project, 'ran')) ? 'the script' : 'no script';
  } finally {
    rmSync(folder, { recursive: true });
  }
}
