import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseObjects } from './local/render.ts';
import { renderText } from './run-helm.ts';

describe('helm template refuses values that are wrong and says which', { concurrency: 4 }, () => {
  const storefront =
    '"proto":"telltale.x.v1.X","replicas":1,"upstreams":[],"deadline":{"default":"1s","max":"2s"},"streams":[]';
  const rows: [values: string, says: RegExp][] = [
    // What the schema refuses: unknown, missing, of another type, out of range.
    ['replicas=2', /at '': additional properties 'replicas' not allowed/],
    ['services.users.replcas=1', /at '\/services\/users': additional properties 'replcas'/],
    ['services.users.deadline.defualt="1s"', /at '\/services\/users\/deadline': additional properties 'defualt'/],
    ['edge.replica=1', /at '\/edge': additional properties 'replica'/],
    ['envoy.concurency=1', /at '\/envoy': additional properties 'concurency'/],
    ['services=null', /at '': missing property 'services'/],
    ['services.x={}', /at '\/services\/x': missing properties/],
    [`services.x={${storefront}}`, /at '\/services\/x': missing property 'stores'/],
    [`services.Shop={${storefront},"stores":false}`, /'Shop' does not match pattern/],
    [`services.${'x'.repeat(64)}={${storefront},"stores":false}`, /'x{64}' does not match pattern/],
    [`services.a_b={${storefront},"stores":false}`, /'a_b' does not match pattern/],
    ['services.users.proto="UserService"', /at '\/services\/users\/proto': 'UserService' does not match/],
    ['services.users.replicas=-1', /at '\/services\/users\/replicas': minimum: got -1, want 0/],
    ['services.users.replicas="3"', /at '\/services\/users\/replicas': got string, want integer/],
    ['services.users.replicas=1.5', /at '\/services\/users\/replicas': got number, want integer/],
    ['services.users.upstreams="orders"', /at '\/services\/users\/upstreams': got string, want array/],
    ['services.storefront.upstreams=["users","users"]', /at '\/services\/storefront\/upstreams': items at 0 and 1 are equal/],
    ['services.users.deadline.default=5', /at '\/services\/users\/deadline\/default': got number, want string/],
    ['services.users.deadline.default="5"', /at '\/services\/users\/deadline\/default': '5' does not match/],
    ['services.users.deadline.default="0s"', /at '\/services\/users\/deadline\/default': '0s' does not match/],
    ['services.users.deadline.max="500ms"', /at '\/services\/users\/deadline\/max': '500ms' does not match/],
    ['services.users.deadline.max="301s"', /at '\/services\/users\/deadline\/max': '301s' does not match/],
    ['services.orders.streams=["watchOrder"]', /at '\/services\/orders\/streams\/0': 'watchOrder' does not match/],
    ['services.orders.stores="yes"', /at '\/services\/orders\/stores': got string, want boolean/],
    ['edge.port=0', /at '\/edge\/port': minimum: got 0/],
    ['edge.port=70000', /at '\/edge\/port': maximum: got 70,000/],
    ['edge.port="x"', /at '\/edge\/port': got string, want integer/],
    ['edge.port=15021', /at '\/edge\/port': 'not' failed/],
    ['edge.upstreams=[]', /at '\/edge\/upstreams': minItems: got 0, want 1/],
    ['edge.corsOrigins=["*"]', /at '\/edge\/corsOrigins\/0': '\*' does not match/],
    ['edge.tls.secretName="My Secret"', /at '\/edge\/tls\/secretName': 'My Secret' does not match/],
    ['edge.tls.certificate="x"', /at '\/edge\/tls': additional properties 'certificate'/],
    ['edge.rateLimit.callsPerSecond=-1', /at '\/edge\/rateLimit\/callsPerSecond': minimum: got -1/],
    ['edge.rateLimit.burst="100"', /at '\/edge\/rateLimit\/burst': got string, want integer/],
    ['limits.requestTime=60', /at '\/limits\/requestTime': 'anyOf' failed/],
    ['limits.requestTime="301s"', /at '\/limits\/requestTime': 'anyOf' failed/],
    ['limits.earlyResets=0', /at '\/limits\/earlyResets': minimum: got 0, want 1/],
    ['image.tag="latest"', /at '\/image\/tag': 'not' failed/],
    ['image.tag=1.5', /at '\/image\/tag': got number, want string/],
    ['image.pullPolicy="Sometimes"', /at '\/image\/pullPolicy': value must be one of/],
    ['envoy.image="envoyproxy/envoy:latest"', /at '\/envoy\/image': 'not' failed/],
    ['envoy.image="envoyproxy/envoy@sha256:abc"', /at '\/envoy\/image': 'envoyproxy\/envoy@sha256:abc' does not match/],
    ['envoy.concurrency=0', /at '\/envoy\/concurrency': minimum: got 0, want 1/],
    ['limits.jsonBodyBytes="1GB"', /at '\/limits\/jsonBodyBytes': got string, want integer/],
    ['mtls="yes"', /at '\/mtls': got string, want boolean/],
    ['identities.issuer="vault"', /at '\/identities\/issuer': value must be one of 'chart', 'cert-manager', 'secrets'/],
    ['identities.leafHours=3', /at '\/identities\/leafHours': minimum: got 3, want 4/],
    ['identities.leafHours="24h"', /at '\/identities\/leafHours': got string, want integer/],
    ['identities.authorityDays=3651', /at '\/identities\/authorityDays': maximum: got 3,651, want 3,650/],
    ['limits.streamsPerConnection=1001', /at '\/limits\/streamsPerConnection': maximum: got 1,001, want 1,000/],
    ['identities.settleMinutes=0', /at '\/identities\/settleMinutes': minimum: got 0, want 1/],
    ['identities.leafDays=1', /at '\/identities': additional properties 'leafDays'/],
    [
      'identities.certManager.issuerRef.kind="clusterissuer"',
      /at '\/identities\/certManager\/issuerRef\/kind': 'clusterissuer'/,
    ],
    ['identities.certManager.issuerRef.namespace="x"', /at '\/identities\/certManager\/issuerRef': additional properties/],
    ['resources.issuer=null', /at '\/resources': missing property 'issuer'/],
    ['discovery="consul"', /at '\/discovery': value must be one of 'dns', 'file'/],
    ['edge.service.type="Ingress"', /at '\/edge\/service\/type': value must be one of/],
    ['edge.service.nodePort=29999', /at '\/edge\/service\/nodePort': 'anyOf' failed/],
    ['edge.service.nodePort=32768', /at '\/edge\/service\/nodePort': 'anyOf' failed/],
    ['edge.service.nodePort="30080"', /at '\/edge\/service\/nodePort': got string, want integer/],
    ['edge.service.port=80', /at '\/edge\/service': additional properties 'port'/],
    ['edge.port=15022', /at '\/edge\/port': 'not' failed/],
    ['image.repository="Telltale"', /at '\/image\/repository': 'Telltale' does not match/],
    ['image.digest="sha256:0123abc"', /at '\/image\/digest': 'sha256:0123abc' does not match/],
    [`image.digest="${'a'.repeat(64)}"`, /at '\/image\/digest': 'a+' does not match/],
    ['image.pullSecrets=["My Secret"]', /at '\/image\/pullSecrets\/0': 'My Secret' does not match/],
    ['image.pullSecrets=[{"name":"registry"}]', /at '\/image\/pullSecrets\/0': got object, want string/],
    ['envoy.image="envoyproxy/envoy"', /at '\/envoy\/image': 'envoyproxy\/envoy' does not match/],
    [`envoy.image="envoyproxy/envoy:latest@sha256:${'a'.repeat(64)}"`, /at '\/envoy\/image': 'not' failed/],
    ['postgresql.image="postgres:latest"', /at '\/postgresql\/image': 'not' failed/],
    ['postgresql.image="postgres@sha256:abc"', /at '\/postgresql\/image': 'postgres@sha256:abc' does not match/],
    ['postgresql.volume="1GB"', /at '\/postgresql\/volume': '1GB' does not match/],
    ['postgresql.volume=1', /at '\/postgresql\/volume': got number, want string/],
    ['postgresql.storageClass="Fast SSD"', /at '\/postgresql\/storageClass': 'anyOf' failed/],
    ['postgresql.password="secret"', /at '\/postgresql': additional properties 'password'/],
    ['database.existingSecret="My_Secret"', /at '\/database\/existingSecret': 'My_Secret' does not match/],
    ['database.url="postgresql://u:p@db/x"', /at '\/database': additional properties 'url'/],
    ['database.port=0', /at '\/database\/port': minimum: got 0, want 1/],
    ['sidecars="false"', /at '\/sidecars': got string, want boolean/],
    ['podLabels={"app.kubernetes.io/name":"x"}', /at '\/podLabels': [\s\S]*invalid propertyName 'app\.kubernetes\.io\/name'/],
    ['podLabels={"inject":"not a label"}', /at '\/podLabels\/inject': 'not a label' does not match/],
    ['podAnnotations={"inject":true}', /at '\/podAnnotations\/inject': got boolean, want string/],
    ['networkPolicies={"enabled":true}', /at '\/networkPolicies': got object, want boolean/],
    ['podDisruptionBudget.minAvailable="50%"', /at '\/podDisruptionBudget\/minAvailable': got string, want integer/],
    ['podDisruptionBudget.minAvailable=-1', /at '\/podDisruptionBudget\/minAvailable': minimum: got -1/],
    ['autoscaling.deployments="users"', /at '\/autoscaling\/deployments': got string, want array/],
    ['autoscaling.minReplicas=0', /at '\/autoscaling\/minReplicas': minimum: got 0, want 1/],
    ['autoscaling.cpu=0.5', /at '\/autoscaling\/cpu': got number, want string/],
    ['gateway.enabled=1', /at '\/gateway\/enabled': got number, want boolean/],
    ['gateway.parentRefs=["eg"]', /at '\/gateway\/parentRefs\/0': got string, want object/],
    ['gateway.parentRefs=[{"gateway":"eg"}]', /at '\/gateway\/parentRefs\/0': .*name/],
    ['gateway.httpHostnames=["*.example.com"]', /at '\/gateway\/httpHostnames\/0': '\*\.example\.com' does not match/],
    ['resources.app.requests.memory="1GB"', /at '\/resources\/app\/requests\/memory': '1GB' does not match/],
    ['resources.app.requests.memory="64"', /at '\/resources\/app\/requests\/memory': '64' does not match/],
    ['resources.app.requests.cpu=1', /at '\/resources\/app\/requests\/cpu': got number, want string/],
    ['resources.edge.requests.cpu="0m"', /at '\/resources\/edge\/requests\/cpu': '0m' does not match/],
    ['resources.edge.requests.cpu=null', /at '\/resources\/edge\/requests': missing property 'cpu'/],
    ['resources.sidecar.requests.disk="1Gi"', /at '\/resources\/sidecar\/requests': .*additional properties 'disk'/],
    ['resources.users={}', /at '\/resources': additional properties 'users'/],
    ['storage="mysql"', /at '\/storage': value must be one of 'sqlite', 'postgresql'/],
    ['tracing.samplingPercent=101', /at '\/tracing\/samplingPercent': maximum: got 101, want 100/],
    ['tracing.samplingPercent=-1', /at '\/tracing\/samplingPercent': minimum: got -1, want 0/],
    ['tracing.samplingPercent="all"', /at '\/tracing\/samplingPercent': got string, want number/],
    ['tracing.collector="http://collector:4317"', /at '\/tracing\/collector': 'http:\/\/collector:4317' does not match/],
    ['tracing.grpcPort="4317"', /at '\/tracing\/grpcPort': got string, want integer/],
    ['tracing.httpPort=0', /at '\/tracing\/httpPort': minimum: got 0, want 1/],
    ['tracing.port=4317', /at '\/tracing': additional properties 'port'/],
    ['observability=false', /type mismatch on observability: false/],
    ['observability.enabled="yes"', /at '\/observability\/enabled': got string, want boolean/],
    ['observability.loki={}', /observability:\n- at '': additional properties 'loki'/],
    ['observability.prometheus.enable=true', /observability:\n- at '\/prometheus': additional properties 'enable'/],
    ['observability.prometheus.enabled="no"', /at '\/prometheus\/enabled': got string, want boolean/],
    ['observability.prometheus.image="prom/prometheus:latest"', /at '\/prometheus\/image': 'not' failed/],
    ['observability.prometheus.scrapeInterval=5', /at '\/prometheus\/scrapeInterval': got number, want string/],
    ['observability.prometheus.scrapeInterval="500ms"', /at '\/prometheus\/scrapeInterval': '500ms' does not match/],
    ['observability.prometheus.retention="6 hours"', /at '\/prometheus\/retention': '6 hours' does not match/],
    ['observability.prometheus.volume="2GB"', /at '\/prometheus\/volume': '2GB' does not match/],
    ['observability.jaeger.maxTraces=0', /at '\/jaeger\/maxTraces': minimum: got 0, want 1/],
    [
      'observability.grafana.prometheusUrl="prometheus:9090"',
      /at '\/grafana\/prometheusUrl': 'prometheus:9090' does not match/,
    ],
    ['observability.grafana.existingSecret="My_Secret"', /at '\/grafana\/existingSecret': 'My_Secret' does not match/],
    ['observability.grafana.password="x"', /at '\/grafana': additional properties 'password'/],
    ['observability.operator.podMonitors={}', /at '\/operator\/podMonitors': got object, want boolean/],
    ['observability.operator.labels={"app.kubernetes.io/name":"x"}', /observability:\n.*invalid propertyName 'app/],
    ['observability.jaeger.resources.requests.cpu=null', /at '\/jaeger\/resources\/requests': missing property 'cpu'/],
    ['experiments="true"', /at '\/experiments': got string, want boolean/],
    ['logLevel="verbose"', /at '\/logLevel': value must be one of/],
    ['drain.waitMs=-1', /at '\/drain\/waitMs': minimum: got -1, want 0/],
    ['drain.timeoutMs="10s"', /at '\/drain\/timeoutMs': got string, want integer/],
    // What templates/validate.yaml refuses: one value beside another.
    [
      'services.storefront.upstreams=["users","billing"]',
      /services\.storefront\.upstreams: billing is no service; .* remove it here/,
    ],
    ['services.users.upstreams=["users"]', /services\.users\.upstreams: users is the service itself/],
    [
      'services.payments.upstreams=["storefront"]',
      /services\.payments\.upstreams: storefront leads into a cycle \(lab, orders, payments, storefront\)/,
    ],
    ['services.users.deadline.default="11s"', /services\.users\.deadline\.default: 11s is longer than deadline\.max \(10s\)/],
    [
      'services.users.proto="telltale.orders.v1.OrderService"',
      /services\.users\.proto: telltale\.orders\.v1\.OrderService is also that of services\.orders/,
    ],
    [`services.edge={${storefront},"stores":false}`, /services\.edge: the name is taken/],
    [`services.users-l4={${storefront},"stores":false}`, /services\.users-l4: names that end in -l4 are taken/],
    ['services.users=null', /edge\.upstreams: users is no service/],
    ['edge.upstreams=["shop"]', /edge\.upstreams: shop is no service/],
    [
      'edge.upstreams=["lab"]',
      /edge\.upstreams: lab is no service; an upstream must be a key of services \(orders, payments, storefront, users\)/,
    ],
    ['services.users.upstreams=["lab"]', /services\.users\.upstreams: lab is no service/],
    [
      'drain.terminationGracePeriodSeconds=15',
      /drain\.terminationGracePeriodSeconds: 15 s is not longer than drain\.waitMs \+ drain\.timeoutMs \(15000 ms\)/,
    ],
    [`services.issuer={${storefront},"stores":false}`, /services\.issuer: the name is taken/],
    ['sidecars=false', /mtls: true, but sidecars is false; the apps leave TLS to an Envoy beside them.*; set mtls: false/],
    [
      'identities.leafHours=541',
      /identities\.leafHours: 541 h is more than a quarter of identities\.authorityDays \(90\).*; lower it or raise the other/,
    ],
    [
      'identities.issuer="cert-manager"',
      /identities\.certManager\.issuerRef\.name: is empty, but identities\.issuer is cert-manager; name an Issuer/,
    ],
    [
      'identities.certManager.issuerRef.name="ca"',
      /identities\.certManager\.issuerRef\.name: ca would not be used, because identities\.issuer is chart/,
    ],
    [`services.serviceb={${storefront},"stores":false}`, /services\.serviceb: the name is taken/],
    [`services.jaeger={${storefront},"stores":false}`, /services\.jaeger: the name is taken/],
    ['observability.networkPolicies=false', /observability\.networkPolicies: false, but networkPolicies is true/],
    ['tracing.grpcPort=4417', /tracing\.grpcPort: 4417 would not be used, because tracing\.collector is empty/],
    [
      'observability.grafana.resources.requests.memory="1Gi"',
      /observability\.grafana\.resources\.requests\.memory: 1Gi is more than limits\.memory \(400Mi\)/,
    ],
    [
      'storage="sqlite",database.existingSecret="db"',
      /database\.existingSecret: db would not be used, because storage is sqlite/,
    ],
    [
      'edge.rateLimit={"callsPerSecond":100,"burst":50}',
      /edge\.rateLimit\.burst: 50 is less than edge\.rateLimit\.callsPerSecond \(100\)/,
    ],
    ['edge.rateLimit.burst=50', /edge\.rateLimit\.burst: 50 would not be used/],
    [
      'edge.tls.secretName="edge",gateway={"enabled":true,"parentRefs":[{"name":"eg"}],"httpHostnames":["a.example"]}',
      /edge\.tls\.secretName: edge, but gateway\.enabled is true/,
    ],
    ['edge.service.nodePort=30080', /edge\.service\.nodePort: 30080, but edge\.service\.type is ClusterIP/],
    ['podDisruptionBudget.minAvailable=2', /podDisruptionBudget\.minAvailable: 2 is all that orders has \(2\)/],
    [
      'autoscaling={"deployments":["users"],"minReplicas":1},services.users.replicas=3,podDisruptionBudget.minAvailable=2',
      /podDisruptionBudget\.minAvailable: 2 is all that orders has/,
    ],
    ['autoscaling={"minReplicas":7}', /autoscaling\.minReplicas: 7 is more than autoscaling\.maxReplicas \(6\)/],
    [
      'autoscaling.deployments=["postgresql"]',
      /autoscaling\.deployments: postgresql is no Deployment; each must be edge or a key/,
    ],
    ['gateway={"enabled":true,"httpHostnames":["a.example"]}', /gateway\.parentRefs: is empty, but gateway\.enabled is true/],
    [
      'gateway={"enabled":true,"parentRefs":[{"name":"eg"}]}',
      /gateway\.httpHostnames: is empty, and so is gateway\.grpcHostnames/,
    ],
    [
      'gateway={"httpHostnames":["a.example"],"grpcHostnames":["a.example"]}',
      /gateway\.grpcHostnames: a\.example is also in gateway\.httpHostnames/,
    ],
    ['resources.app.requests.memory="1Gi"', /resources\.app\.requests\.memory: 1Gi is more than limits\.memory \(256Mi\)/],
    ['resources.postgresql.limits.cpu="0.01"', /resources\.postgresql\.requests\.cpu: \d+m is more than limits\.cpu \(0\.01\)/],
  ];
  for (const [values, says] of rows) {
    it(values, async () => {
      await assert.rejects(renderText('--set-json', values), says);
    });
  }

  it('a file whose anchors stand for more than a billion lists, before they are unfolded', async () => {
    const levels = Array.from({ length: 10 }, (_, level) => {
      const items = level === 0 ? '"x"' : `*level${level - 1}`;
      return `  level${level}: &level${level} [${Array(9).fill(items).join(', ')}]`;
    });
    const folder = await mkdtemp(join(tmpdir(), 'telltale-values-'));
    try {
      await writeFile(join(folder, 'values.yaml'), `global:\n${levels.join('\n')}\n`);
      const begun = performance.now();
      await assert.rejects(renderText('--values', join(folder, 'values.yaml')), /document contains excessive aliasing/);
      assert.ok(performance.now() - begun < 20_000, `after ${performance.now() - begun} ms`);
      const few = levels.slice(0, 3);
      await writeFile(join(folder, 'values.yaml'), `global:\n${few.join('\n')}\n`);
      assert.match(await renderText('--values', join(folder, 'values.yaml')), /kind: Deployment/); // the control
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says all that is wrong at once', async () => {
    const wrong = renderText(
      '--set-json',
      'drain.timeoutMs=15000,edge.upstreams=["shop"],services.users.deadline.default="11s"',
    );
    await assert.rejects(wrong, ({ message }: Error) =>
      ['services.users.deadline.default: ', 'drain.terminationGracePeriodSeconds: ', 'edge.upstreams: '].every(path =>
        message.includes(path),
      ),
    );
  });
});

describe('helm template accepts', { concurrency: 4 }, () => {
  const accepted = [
    'global={"any":1}',
    'services.users.replicas=0',
    'services.users.deadline={"default":"0.25s","max":"300s"}',
    'services.users={"proto":"telltale.users.v1.UserService","replicas":1,"upstreams":["payments"],"deadline":{"default":"1s","max":"1s"},"streams":[],"stores":true}',
    'edge.port=9000',
    'edge.rateLimit={"callsPerSecond":100,"burst":100}',
    'limits={"requestTime":"0s","earlyResets":100000}',
    'resources.edge.limits.memory=null',
    'storage="sqlite"',
    'database={"existingSecret":"db","key":"url"}',
    'edge.service={"type":"NodePort","nodePort":30080}',
    'drain={"waitMs":0,"timeoutMs":0}',
    'envoy.image="registry.example.com:5000/envoy:v1.40.0"',
    'resources.app.requests={"cpu":"0.25","memory":"256Mi"}',
    'podDisruptionBudget.minAvailable=0',
    'sidecars=false,mtls=false',
    'mtls=false',
    'identities={"issuer":"secrets","leafHours":540,"settleMinutes":60}',
    'identities={"issuer":"cert-manager","certManager":{"issuerRef":{"name":"ca","kind":"ClusterIssuer"}}}',
    'tracing={"samplingPercent":0.5,"collector":"10.1.2.3","grpcPort":14317}',
    'observability.grafana={"prometheusUrl":"https://prometheus.example.com/p","jaegerUrl":"http://jaeger.tracing:16686"}',
  ];
  for (const values of accepted) {
    it(values, async () => {
      const kinds = parseObjects(await renderText('--set-json', values)).map(({ kind }) => kind);
      assert.equal(kinds.filter(kind => kind === 'Deployment').length, 8);
    });
  }
});
