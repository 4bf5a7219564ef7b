/** One status of gRPC as every dashboard shows it. */
export interface GrpcCode {
  /** As in `grpc_status` of the apps' metrics. */
  readonly name: string;
  /** As in Envoy's `envoy_cluster_grpc_<number>`. */
  readonly number: number;
  /** The one colour of this status, on every panel. */
  readonly colour: string;
  /** Whether it counts against the server: what a caller could not have avoided. */
  readonly serverError: boolean;
}

const code = (number: number, name: string, colour: string, serverError = false): GrpcCode => ({
  name,
  number,
  colour,
  serverError,
});

/**
 * All statuses by number. Reds and oranges are the server's errors, yellows and violets the caller's, blue is who gave up.
 *
 * @see https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
export const grpcCodes: readonly GrpcCode[] = [
  code(0, 'OK', '#73BF69'),
  code(1, 'CANCELLED', '#8AB8FF'),
  code(2, 'UNKNOWN', '#AD0317', true),
  code(3, 'INVALID_ARGUMENT', '#FFEE52'),
  code(4, 'DEADLINE_EXCEEDED', '#FF9830', true),
  code(5, 'NOT_FOUND', '#CA95E5'),
  code(6, 'ALREADY_EXISTS', '#DEB6F2'),
  code(7, 'PERMISSION_DENIED', '#8F3BB8'),
  code(8, 'RESOURCE_EXHAUSTED', '#E0B400'),
  code(9, 'FAILED_PRECONDITION', '#FFF899'),
  code(10, 'ABORTED', '#B877D9'),
  code(11, 'OUT_OF_RANGE', '#FADE2A'),
  code(12, 'UNIMPLEMENTED', '#FF7383', true),
  code(13, 'INTERNAL', '#F2495C', true),
  code(14, 'UNAVAILABLE', '#FA6400', true),
  code(15, 'DATA_LOSS', '#C4162A', true),
  code(16, 'UNAUTHENTICATED', '#A352CC'),
];

/** The colours by name, for {@link grpcCodes} as the series of a panel. */
export const codeColours: Readonly<Record<string, string>> = Object.fromEntries(
  grpcCodes.map(({ name, colour }) => [name, colour]),
);

/** The names of the server's errors as a regular expression: the error set of the objectives and of every "errors" panel. */
export const serverErrorNames = grpcCodes
  .filter(({ serverError }) => serverError)
  .map(({ name }) => name)
  .join('|');
