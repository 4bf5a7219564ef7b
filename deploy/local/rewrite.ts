/** Changes a text of the chart into what holds on this machine. */
export type Rewrite = (text: string) => string;

/**
 * The rewrite for a pod: `127.0.0.1` and `0.0.0.0` become the pod's own `address` (what a network namespace does in a cluster),
 * and each path below a mount path becomes the path below its folder on this machine (what a mount does).
 * One pass: nothing that was replaced is replaced again.
 */
export function podRewrite(address: string, mounts: ReadonlyMap<string, string>): Rewrite {
  const paths = [...mounts.keys()].sort((a, b) => b.length - a.length).map(path => escapeRegExp(path));
  const path = paths.length === 0 ? '' : `|(?<![\\w./-])(?:${paths.join('|')})(?![\\w.-])`;
  const pattern = new RegExp(`(?<![\\d.])(?:127\\.0\\.0\\.1|0\\.0\\.0\\.0)(?![\\d]|\\.\\d|/\\d)${path}`, 'g');
  return text => text.replace(pattern, found => mounts.get(found) ?? address);
}

/** `$(NAME)` as Kubernetes expands it: a known variable's value, an unknown one stays, `$$(NAME)` is a literal `$(NAME)`. */
export function expandVariables(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$\(|\$\((\w+)\)/g, (found, name?: string) =>
    name === undefined ? '$(' : (variables[name] ?? found),
  );
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
