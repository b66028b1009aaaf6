{{/* A service's pod: takes {root, name, values}. */}}
{{- define "assay.pod" -}}
{{- $keys := (include "assay.secretKeys" . | fromJson).keys }}
{{- $kafka := include "assay.kafkaSources" . }}
{{- $isGateway := eq .name "gateway" }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
serviceAccountName: {{ include "assay.fullname" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
# Longer than a service takes at most to finish what is in flight.
terminationGracePeriodSeconds: 45
securityContext:
  {{- include "assay.podSecurity" . | nindent 2 }}
{{- if .root.Values.topologySpread }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "assay.selector" . | nindent 8 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
containers:
  - name: {{ .name }}
    image: {{ include "assay.image" .root | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args: [service, {{ .name }}]
    securityContext:
      {{- include "assay.containerSecurity" . | nindent 6 }}
    ports:
      - {name: http, containerPort: {{ if $isGateway }}8080{{ else }}9100{{ end }}}
    env:
      - {name: SERVICE, value: {{ .name }}}
      {{- include "assay.kafkaEnv" . | nindent 6 }}
      - {name: ASSAY_KAFKA_IDEMPOTENCE, value: {{ .root.Values.kafka.idempotence | quote }}}
      - {name: ASSAY_REDIS_CLUSTER, value: {{ .root.Values.redis.cluster | quote }}}
      - {name: ASSAY_EVENT_TRUST, value: {{ .root.Values.eventTrust }}}
      - {name: ASSAY_POSTGRES_DSN_FILE, value: /run/secrets/assay/postgres-dsn-{{ .name }}}
      - {name: ASSAY_REDIS_URL_FILE, value: /run/secrets/assay/redis-url-{{ .name }}}
      {{- if has "secret-key" $keys }}
      - {name: ASSAY_SECRET_KEY_FILE, value: /run/secrets/assay/secret-key}
      {{- end }}
      {{- if has "audit-key" $keys }}
      - {name: ASSAY_AUDIT_KEY_FILE, value: /run/secrets/assay/audit-key}
      {{- end }}
      {{- if has "event-master-key" $keys }}
      - {name: ASSAY_EVENT_MASTER_KEY_FILE, value: /run/secrets/assay/event-master-key}
      {{- end }}
      {{- if and $isGateway .root.Values.gateway.anchorsClaim }}
      - {name: ASSAY_AUDIT_ANCHOR_FILE, value: /var/lib/assay/audit-anchors.jsonl}
      {{- end }}
      {{- range $name, $value := merge (dict) (.values.settings | default dict) .root.Values.settings }}
      - {name: {{ $name }}, value: {{ $value | quote }}}
      {{- end }}
    {{- with .values.envFrom }}
    envFrom: {{ toJson . }}
    {{- end }}
    # A process that waits for Kafka or Postgres lives: restarting it would mend nothing.
    startupProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 2, failureThreshold: 60, timeoutSeconds: 3}
    livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 15, failureThreshold: 4, timeoutSeconds: 5}
    readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 5}
    {{- if $isGateway }}
    # Connections that were sent here before everybody knew that it ends are still taken.
    lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
    {{- end }}
    resources: {{ toJson .values.resources }}
    volumeMounts:
      - {name: tmp, mountPath: /tmp}
      - {name: secrets, mountPath: /run/secrets/assay, readOnly: true}
      {{- if $kafka }}
      - {name: kafka, mountPath: /run/secrets/kafka, readOnly: true}
      {{- end }}
      {{- if .root.Values.caSources }}
      - {name: ca, mountPath: /etc/assay/ca, readOnly: true}
      {{- end }}
      {{- if and $isGateway .root.Values.gateway.anchorsClaim }}
      - {name: anchors, mountPath: /var/lib/assay}
      {{- end }}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
  - name: secrets
    secret:
      secretName: {{ .root.Values.existingSecret }}
      defaultMode: 0440
      items:
        {{- range $keys }}
        - {key: {{ . }}, path: {{ . }}}
        {{- end }}
  {{- if $kafka }}
  - name: kafka
    projected:
      defaultMode: 0440
      sources:
        {{- $kafka | nindent 8 }}
  {{- end }}
  {{- with .root.Values.caSources }}
  - name: ca
    projected: {sources: {{ toJson . }}}
  {{- end }}
  {{- if and $isGateway .root.Values.gateway.anchorsClaim }}
  - name: anchors
    persistentVolumeClaim: {claimName: {{ .root.Values.gateway.anchorsClaim }}}
  {{- end }}
{{- end }}
