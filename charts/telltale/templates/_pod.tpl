{{/* What every pod and every container has in common. */}}

{{/*
The fields of a pod's spec that stand before its containers. Parameters: root.
*/}}
{{- define "telltale.podSpec" -}}
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ .root.Values.drain.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
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
The annotation that rolls the pods when their Envoy's file changes. Parameters: config, the text of the file.
*/}}
{{- define "telltale.checksum" -}}
checksum/config: {{ .config | sha256sum }}
{{- end }}

{{/*
The rolling update: never fewer pods than asked for. No parameters.
*/}}
{{- define "telltale.strategy" -}}
type: RollingUpdate
rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
{{- end }}
