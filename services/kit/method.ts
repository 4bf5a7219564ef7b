/** The definition of one method as ts-proto generates it for grpc-js. */
export interface MethodDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: never) => Buffer;
  readonly requestDeserialize: (value: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
  readonly responseDeserialize: (value: Buffer) => unknown;
}

/** The definition of a service, such as `UserServiceService`: its methods by their camelCase names. */
export type ServiceDefinition = Readonly<Record<string, MethodDefinition>>;

/** The request message of a method. */
export type RequestOf<Method> = Method extends { requestDeserialize: (value: Buffer) => infer Request } ? Request : never;

/** The response message of a method. */
export type ResponseOf<Method> = Method extends { responseDeserialize: (value: Buffer) => infer Response } ? Response : never;

/** Chooses by the kind of a method: unary, server streaming, client streaming or bidirectional. */
export type ByKind<Method, Unary, ServerStream, ClientStream, Bidi> = Method extends { requestStream: false }
  ? Method extends { responseStream: false }
    ? Unary
    : ServerStream
  : Method extends { responseStream: false }
    ? ClientStream
    : Bidi;

/** The names within the path of a method: "/telltale.users.v1.UserService/GetUser". */
export interface MethodName {
  /** The full name of the service: "telltale.users.v1.UserService". */
  readonly service: string;
  /** The name of the method: "GetUser". */
  readonly method: string;
  /** Both together: "telltale.users.v1.UserService/GetUser". */
  readonly full: string;
  /** The short name of the service in the mesh, which its package holds: "users". */
  readonly short: string;
}

/** Takes a method's path apart. Throws a TypeError for a path whose package is not `telltale.<service>.v<n>`. */
export function methodName(path: string): MethodName {
  const match = /^\/(telltale\.([a-z]+)\.v\d+\.[A-Za-z]+)\/([A-Za-z]+)$/.exec(path);
  const [, service, short, method] = match ?? [];
  if (!service || !short || !method) throw new TypeError(`${path} is not /telltale.<service>.v<n>.<Service>/<Method>`);
  return { service, method, full: path.slice(1), short };
}

/** The names of a service, from the path of its first method. */
export function serviceName(definition: ServiceDefinition): Pick<MethodName, 'service' | 'short'> {
  const [first] = Object.values(definition);
  if (!first) throw new TypeError('a service without methods has no name');
  const { service, short } = methodName(first.path);
  return { service, short };
}
