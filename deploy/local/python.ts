import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { finishedTool } from './tool-folder.ts';
import { required } from './tools.ts';

/**
 * A folder for PYTHONPATH with the packages that a file pins (the client tests' `requirements.txt` by default), for the `python3` on PATH;
 * installed into `.tools/` when it is not there yet. Throws a `RunError` when python3 or pip is missing or the packages cannot be fetched.
 */
export async function locatePython(
  report: (line: string) => void = () => {},
  signal?: AbortSignal,
  requirements = join(import.meta.dirname, 'requirements.txt'),
): Promise<string> {
  const version = await required('python3', ['-c', 'import platform; print(platform.python_version(), platform.machine())'], {
    signal,
  });
  // Wheels are built for one Python: another one needs another folder.
  const key = createHash('sha256').update(readFileSync(requirements)).update(version).digest('hex').slice(0, 12);
  return finishedTool(`python-${key}`, async folder => {
    report('fetching Python packages');
    const target = join(folder, 'packages');
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
    await required('python3', [...install, '--target', target, '-r', requirements], { signal });
    return target;
  });
}
