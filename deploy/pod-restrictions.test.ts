import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Container, type PodSpec, podSpecs, renderObjects } from './chart-objects.ts';
import { breachesOf } from './pod-restrictions.ts';

type Break = (spec: PodSpec, container: Container) => void;

/** One way past each control, and the field by which it is seen. */
const breaks: [field: string, breakIt: Break][] = [
  ['securityContext.runAsNonRoot', ({ securityContext }) => delete securityContext.runAsNonRoot],
  ['securityContext.runAsNonRoot', ({ securityContext }) => Object.assign(securityContext, { runAsNonRoot: false })],
  ['securityContext.runAsUser', ({ securityContext }) => Object.assign(securityContext, { runAsUser: 0 })],
  ['securityContext.seccompProfile', ({ securityContext }) => delete securityContext.seccompProfile],
  [
    'securityContext.seccompProfile',
    ({ securityContext }) => Object.assign(securityContext, { seccompProfile: { type: 'Unconfined' } }),
  ],
  [
    'securityContext.sysctls',
    ({ securityContext }) => Object.assign(securityContext, { sysctls: [{ name: 'kernel.msgmax', value: '1' }] }),
  ],
  ['hostNetwork', spec => Object.assign(spec, { hostNetwork: true })],
  ['hostPID', spec => Object.assign(spec, { hostPID: true })],
  ['hostIPC', spec => Object.assign(spec, { hostIPC: true })],
  ['app.allowPrivilegeEscalation', (_, { securityContext }) => delete securityContext.allowPrivilegeEscalation],
  ['app.readOnlyRootFilesystem', (_, { securityContext }) => Object.assign(securityContext, { readOnlyRootFilesystem: false })],
  ['app.capabilities', (_, { securityContext }) => delete securityContext.capabilities],
  ['app.capabilities', (_, { securityContext }) => Object.assign(securityContext, { capabilities: { drop: ['NET_RAW'] } })],
  [
    'app.capabilities',
    (_, { securityContext }) => Object.assign(securityContext, { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } }),
  ],
  ['app.privileged', (_, { securityContext }) => Object.assign(securityContext, { privileged: true })],
  ['app.runAsUser', (_, { securityContext }) => Object.assign(securityContext, { runAsUser: 0 })],
  ['app.runAsNonRoot', (_, { securityContext }) => Object.assign(securityContext, { runAsNonRoot: false })],
  [
    'app.seccompProfile',
    (_, { securityContext }) => Object.assign(securityContext, { seccompProfile: { type: 'Unconfined' } }),
  ],
  ['app.procMount', (_, { securityContext }) => Object.assign(securityContext, { procMount: 'Unmasked' })],
  ['app.hostPort', (_, container) => Object.assign(container, { ports: [{ containerPort: 50_052, hostPort: 80 }] })],
  ['host.hostPath', spec => Object.assign(spec, { volumes: [{ name: 'host', hostPath: { path: '/' } }] })],
  ['nfs.nfs', spec => Object.assign(spec, { volumes: [{ name: 'nfs', nfs: { server: 'x', path: '/' } }] })],
];

describe('breachesOf', async () => {
  const specs = podSpecs(await renderObjects());
  const users = specs.get('users') ?? assert.fail();

  it('finds nothing in any pod of the chart', () => {
    for (const [name, spec] of specs) assert.deepEqual(breachesOf(spec), [], name);
    assert.ok(specs.size > 5);
  });

  for (const [index, [field, breakIt]] of breaks.entries()) {
    it(`finds ${field} that is not as it must be, and nothing else (${index + 1})`, () => {
      const spec = structuredClone(users);
      breakIt(spec, spec.containers.find(({ name }) => name === 'app') ?? assert.fail());
      assert.deepEqual(breachesOf(spec), [field]);
    });
  }

  it('looks into sidecars, and at a pod without any security context', () => {
    const spec = structuredClone(users);
    const [sidecar = assert.fail()] = spec.initContainers ?? [];
    sidecar.securityContext.privileged = true;
    assert.deepEqual(breachesOf(spec), [`${sidecar.name}.privileged`]);
    const { securityContext: _, ...without } = spec;
    assert.ok(breachesOf(without as PodSpec).includes('securityContext.runAsNonRoot'));
  });
});
