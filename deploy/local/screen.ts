import { styleText } from 'node:util';

/** Writes a text and a line end. */
export function print(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${text}\n`);
}

/** A text in a colour, on a terminal that has colours; NO_COLOR is honoured (`util.styleText` looks at both). */
export function paint(
  format: Parameters<typeof styleText>[0],
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  return styleText(format, text, { stream });
}

/** What `up` says at its end: where the edge is and three things to try. */
export function welcome(edge: string): string {
  const url = `http://${edge.replace(/^127\.0\.0\.1:/, 'localhost:')}`;
  const method = 'telltale.users.v1.UserService/GetUser';
  return [
    '',
    `${paint('green', 'Telltale is ready:')} ${paint('bold', url)}`,
    '',
    'Try',
    `  JSON   curl ${url}/api/users/123`,
    `  gRPC   npx buf curl --schema . --protocol grpc --http2-prior-knowledge -d '{"id": 123}' ${url}/${method}`,
    '  claims make lab · make scenario NAME=deadlines',
    '  pods   make status · make logs SERVICE=users · make scale SERVICE=users N=3',
    '',
    'End it with: make down',
  ].join('\n');
}

/** A line of a container's log behind the container's name. */
export function prefixed(container: string, line: string): string {
  return `${paint('cyan', container)} ${line}`;
}
