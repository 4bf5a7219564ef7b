{{/* What every pod and every container has in common. */}}

{{/*
The fields of a pod's spec that stand before its containers. Parameters: root, account (its ServiceAccount), user (the uid),
graceSeconds, token (true for who asks the Kubernetes API).
*/}}
{{- define "telltale.podSpec" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: {{ .token | default false }}
# Variables for each Service of the namespace: nobody reads them, and one named TELLTALE_... would be refused.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .graceSeconds }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  # Else each start would visit every file of the volume.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/*
The same for the pods of a Deployment: spread over the nodes, as far as there are any. Parameters: root, name, part, token.
*/}}
{{- define "telltale.deployedPodSpec" -}}
{{ include "telltale.podSpec" (dict "root" .root "account" .name "user" 65532 "graceSeconds" .root.Values.drain.terminationGracePeriodSeconds "token" .token) }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    # A rollout's new pods are spread among themselves, wherever the old ones are.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "telltale.selectorLabels" .part | nindent 8 }}
{{- end }}

{{/*
The metadata of the pods of a Deployment. Parameters: root, part, config (the text whose change rolls the pods; may be empty).
*/}}
{{- define "telltale.podMetadata" -}}
labels:
  {{- include "telltale.labels" .part | nindent 2 }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if or .config .root.Values.podAnnotations }}
annotations:
  {{- with .config }}
  checksum/config: {{ . | sha256sum }}
  {{- end }}
  {{- with .root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
A container's security context, the "restricted" Pod Security Standard and a read-only root. No parameters.
*/}}
{{- define "telltale.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/*
How a Deployment changes: never fewer pods than asked for, and an old one goes only when its successor has been ready long enough
for every caller to have found it: a look at DNS each 2 s, and a health check. Parameters: root, name, replicas.
*/}}
{{- define "telltale.rollout" -}}
{{- if not (has .name .root.Values.autoscaling.deployments) }}
replicas: {{ .replicas }}
{{- end }}
minReadySeconds: 3
strategy:
  type: RollingUpdate
  rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
{{- end }}

{{/*
What spans say of the process that made them, as OTEL_RESOURCE_ATTRIBUTES has it. Parameters: Release, Chart.
*/}}
{{- define "telltale.resourceAttributes" -}}
service.namespace={{ .Release.Name }},service.version={{ .Chart.AppVersion }},k8s.namespace.name={{ .Release.Namespace }}
{{- end }}

{{/*
The image of the services. Parameters: Values, Chart.
*/}}
{{- define "telltale.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}
