{{/* Names and what all pods have in common. Every helper takes {root, name}, name being the program. */}}
{{- define "assay.fullname" -}}
{{- contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "assay.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "assay.labels" -}}
{{ include "assay.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "assay.image" -}}
{{- with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}{{ end }}
{{- end }}

{{/* Which files of the Secret a program sees: its own, and no other's. */}}
{{- define "assay.secretKeys" -}}
{{- $keys := dict
  "ingest" (list "secret-key") "abtest" (list "secret-key") "feedback" (list "secret-key")
  "metrics" (list) "notify" (list) "gateway" (list "secret-key" "audit-key") }}
{{- $found := concat (get $keys .name) (list (printf "postgres-dsn-%s" .name) (printf "redis-url-%s" .name)) }}
{{- if eq .root.Values.eventTrust "signed" }}{{ $found = append $found "event-master-key" }}{{ end }}
{{- toJson (dict "keys" $found) }}
{{- end }}

{{- define "assay.kafkaEnv" -}}
- {name: ASSAY_KAFKA_BOOTSTRAP_SERVERS, value: {{ required "kafka.bootstrapServers is required" .root.Values.kafka.bootstrapServers | quote }}}
- {name: ASSAY_TOPIC_PREFIX, value: {{ .root.Values.kafka.topicPrefix | quote }}}
- {name: ASSAY_TOPIC_PARTITIONS, value: {{ .root.Values.kafka.topicPartitions | quote }}}
{{- with .root.Values.kafka }}
- {name: ASSAY_KAFKA_SECURITY_PROTOCOL, value: {{ .securityProtocol }}}
{{- if hasPrefix "SASL" .securityProtocol }}
- {name: ASSAY_KAFKA_SASL_MECHANISM, value: {{ .saslMechanism }}}
- {name: ASSAY_KAFKA_SASL_USERNAME, value: {{ .userPrefix }}{{ $.name }}}
- {name: ASSAY_KAFKA_SASL_PASSWORD_FILE, value: /run/secrets/kafka/password}
{{- end }}
{{- if .caSecret.name }}
- {name: ASSAY_KAFKA_SSL_CAFILE, value: /run/secrets/kafka/ca.crt}
{{- end }}
{{- end }}
{{- end }}

{{/* Kafka's password and authority, as one folder; nothing where neither is needed. */}}
{{- define "assay.kafkaSources" -}}
{{- with .root.Values.kafka }}
{{- if hasPrefix "SASL" .securityProtocol }}
{{- if .passwordsSecret }}
- secret: {name: {{ .passwordsSecret }}, items: [{key: kafka-password-{{ $.name }}, path: password}]}
{{- else }}
- secret: {name: {{ .userPrefix }}{{ $.name }}, items: [{key: password, path: password}]}
{{- end }}
{{- end }}
{{- if .caSecret.name }}
- secret: {name: {{ .caSecret.name }}, items: [{key: {{ .caSecret.key }}, path: ca.crt}]}
{{- end }}
{{- end }}
{{- end }}

{{- define "assay.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "assay.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
