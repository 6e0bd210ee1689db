// Package check checks the Helm chart and the Compose files without a cluster and without Docker.
package check

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const chartDir = "../helm/capi"

// least are the values without a default.
func least() map[string]any {
	return map[string]any{
		"image":     map[string]any{"tag": "1.2.3"},
		"publicURL": "https://api.example.com",
		"database":  map[string]any{"existingSecret": "capi-database"},
		"files":     map[string]any{"url": "s3://exports/capi?region=eu-central-1"},
		"key":       map[string]any{"existingSecret": "capi-key"},
	}
}

// render returns the objects of the chart by kind and name, each read strictly, so that a field that Kubernetes does not know is an
// error.
func render(t *testing.T, values map[string]any) (map[string]any, error) {
	t.Helper()
	chart, err := loader.Load(chartDir)
	require.NoError(t, err)
	release := chartutil.ReleaseOptions{Name: "shop", Namespace: "data", IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return nil, err
	}
	objects := map[string]any{}
	for name, content := range files {
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		for _, one := range regexp.MustCompile(`(?m)^---\s*$`).Split(content, -1) {
			if strings.TrimSpace(one) == "" {
				continue
			}
			var head struct {
				APIVersion, Kind string
				Metadata         struct{ Name string }
			}
			require.NoError(t, yaml.Unmarshal([]byte(one), &head), one)
			into := map[string]any{
				"apps/v1 Deployment":                 &appsv1.Deployment{},
				"v1 Service":                         &corev1.Service{},
				"v1 ServiceAccount":                  &corev1.ServiceAccount{},
				"policy/v1 PodDisruptionBudget":      &policyv1.PodDisruptionBudget{},
				"networking.k8s.io/v1 NetworkPolicy": &networkingv1.NetworkPolicy{},
				"networking.k8s.io/v1 Ingress":       &networkingv1.Ingress{},
			}[head.APIVersion+" "+head.Kind]
			require.NotNil(t, into, "%s: %s %s", name, head.APIVersion, head.Kind)
			require.NoError(t, yaml.UnmarshalStrict([]byte(one), into), one)
			objects[head.Kind+" "+head.Metadata.Name] = into
		}
	}
	return objects, nil
}

func TestTheChartHasServersOfBothRoles(t *testing.T) {
	objects, err := render(t, least())
	require.NoError(t, err)
	for role, replicas := range map[string]int32{"api": 2, "worker": 1} {
		d := objects["Deployment shop-capi-"+role].(*appsv1.Deployment)
		require.Equal(t, replicas, *d.Spec.Replicas)
		require.Equal(t, int32(0), d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntVal)
		pod := d.Spec.Template.Spec
		c := pod.Containers[0]
		require.Equal(t, []string{"serve", "--role", role}, c.Args)
		require.Equal(t, "ghcr.io/opencapi/capi:1.2.3", c.Image)
		require.Equal(t, "/readyz", c.ReadinessProbe.HTTPGet.Path)
		require.Equal(t, "/readyz", c.StartupProbe.HTTPGet.Path)
		require.Equal(t, int32(720), c.StartupProbe.FailureThreshold)
		require.Equal(t, "/healthz", c.LivenessProbe.HTTPGet.Path, "a database that is away must restart nothing")
		require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
		require.True(t, *pod.SecurityContext.RunAsNonRoot)
		require.False(t, *pod.AutomountServiceAccountToken)
		for _, e := range c.Env {
			if e.Name == "CAPI_DB" {
				require.Empty(t, e.Value, "secrets are references")
				require.Equal(t, "capi-database", e.ValueFrom.SecretKeyRef.Name)
			}
		}
		selector := objects["PodDisruptionBudget shop-capi-"+role].(*policyv1.PodDisruptionBudget).Spec.Selector.MatchLabels
		for label, value := range selector {
			require.Equal(t, value, d.Spec.Template.Labels[label])
		}
	}
	service := objects["Service shop-capi"].(*corev1.Service)
	require.Equal(t, "api", service.Spec.Selector["app.kubernetes.io/component"], "a worker answers no requests")
	policy := objects["NetworkPolicy shop-capi"].(*networkingv1.NetworkPolicy)
	require.Len(t, policy.Spec.Ingress, 1, "nobody may read the metrics by default")
	require.NotContains(t, objects, "Ingress shop-capi")
}

func TestEveryOptionOfTheChartIsValid(t *testing.T) {
	values := least()
	values["files"].(map[string]any)["existingSecret"] = "capi-bucket"
	values["settings"] = map[string]any{"CAPI_SMTP_HOST": "smtp.example.com", "CAPI_WORKERS": 4}
	values["settingsFromSecrets"] = []any{"capi-smtp"}
	values["imagePullSecrets"] = []any{map[string]any{"name": "registry"}}
	values["index"] = map[string]any{
		"storageClass": "fast", "size": "20Gi",
		"url": "opensearchs://search1:9200,search2:9200/companies?replicas=1", "existingSecret": "capi-search", "caSecret": "search-ca",
	}
	values["ingress"] = map[string]any{"enabled": true, "host": "api.example.com", "className": "nginx", "tlsSecret": "tls", "annotations": map[string]any{"a": "b"}}
	values["networkPolicy"] = map[string]any{
		"from":        []any{map[string]any{"namespaceSelector": map[string]any{}}},
		"metricsFrom": []any{map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"name": "monitoring"}}}},
	}
	values["serviceAccount"] = map[string]any{"annotations": map[string]any{"role": "arn:x"}}
	values["podAnnotations"] = map[string]any{"x": "y"}
	values["nodeSelector"] = map[string]any{"disk": "ssd"}
	values["tolerations"] = []any{map[string]any{"key": "data", "operator": "Exists"}}
	values["affinity"] = map[string]any{"nodeAffinity": map[string]any{}}
	objects, err := render(t, values)
	require.NoError(t, err)
	c := objects["Deployment shop-capi-api"].(*appsv1.Deployment).Spec.Template.Spec.Containers[0]
	require.Contains(t, c.Env, corev1.EnvVar{Name: "CAPI_WORKERS", Value: "4"})
	require.Contains(t, c.Env, corev1.EnvVar{Name: "CAPI_INDEX", Value: "opensearchs://search1:9200,search2:9200/companies?replicas=1"})
	require.Contains(t, c.Env, corev1.EnvVar{Name: "CAPI_INDEX_CA_FILE", Value: "/etc/capi-index/ca.crt"})
	require.Contains(t, c.VolumeMounts, corev1.VolumeMount{Name: "index-ca", MountPath: "/etc/capi-index", ReadOnly: true})
	require.Len(t, c.EnvFrom, 3)
	require.Len(t, objects["NetworkPolicy shop-capi"].(*networkingv1.NetworkPolicy).Spec.Ingress, 2)
	require.Equal(t, "shop-capi", objects["Ingress shop-capi"].(*networkingv1.Ingress).Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name)
}

func TestTheChartRefusesWhatCannotWork(t *testing.T) {
	for name, spoil := range map[string]func(map[string]any){
		"no image tag":       func(v map[string]any) { delete(v, "image") },
		"the tag latest":     func(v map[string]any) { v["image"] = map[string]any{"tag": "latest"} },
		"no public address":  func(v map[string]any) { delete(v, "publicURL") },
		"a path":             func(v map[string]any) { v["publicURL"] = "https://example.com/api" },
		"no database":        func(v map[string]any) { delete(v, "database") },
		"files on a disk":    func(v map[string]any) { v["files"] = map[string]any{"url": "file"} },
		"an index elsewhere": func(v map[string]any) { v["index"] = map[string]any{"url": "https://search:9200/companies"} },
		"a password in URL":  func(v map[string]any) { v["index"] = map[string]any{"url": "opensearch://me:secret@search/companies"} },
		"no key":             func(v map[string]any) { delete(v, "key") },
		"an unknown setting": func(v map[string]any) { v["settings"] = map[string]any{"PATH": "/"} },
		"no servers":         func(v map[string]any) { v["api"] = map[string]any{"replicas": 0} },
		"ingress, no host":   func(v map[string]any) { v["ingress"] = map[string]any{"enabled": true} },
	} {
		t.Run(name, func(t *testing.T) {
			values := least()
			spoil(values)
			_, err := render(t, values)
			require.Error(t, err)
		})
	}
}

// program is the program that the settings are for; the build of the repository if it is empty.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capi")
	build := exec.Command("go", "build", "-o", path, "./cmd/capi")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// TestEverySettingExists finds settings of the chart and of the Compose files that capi serve does not have.
func TestEverySettingExists(t *testing.T) {
	help, err := exec.Command(program(t), "serve", "--help").CombinedOutput()
	require.NoError(t, err)
	known := map[string]bool{}
	for _, name := range regexp.MustCompile(`\$(CAPI_[A-Z_]+)`).FindAllStringSubmatch(string(help), -1) {
		known[name[1]] = true
	}
	require.Greater(t, len(known), 20)
	objects, err := render(t, least())
	require.NoError(t, err)
	for _, e := range objects["Deployment shop-capi-worker"].(*appsv1.Deployment).Spec.Template.Spec.Containers[0].Env {
		require.True(t, known[e.Name], e.Name)
	}
	for file, servers := range map[string][]string{"../compose.yaml": {"capi"}, "../compose.cluster.yaml": {"first", "second", "third"}} {
		p := compose(t, file)
		for _, server := range servers {
			for name := range p.Services[server].Environment {
				require.True(t, known[name] || strings.HasPrefix(name, "AWS_"), "%s: %s", file, name)
			}
		}
	}
}

func compose(t *testing.T, file string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv([]string{"POSTGRES_PASSWORD=secret", "S3_SECRET=secret", "CAPI_KEY=00"}))
	require.NoError(t, err)
	p, err := options.LoadProject(context.Background())
	require.NoError(t, err, file)
	return p
}

func TestTheComposeFilesAreValid(t *testing.T) {
	one := compose(t, "../compose.yaml")
	require.Equal(t, "127.0.0.1", one.Services["capi"].Ports[0].HostIP, "plain HTTP never leaves the machine")
	p := compose(t, "../compose.cluster.yaml")
	for _, name := range []string{"first", "second", "third"} {
		s := p.Services[name]
		require.Equal(t, name, s.Volumes[0].Source, "a data directory of its own")
		require.Empty(t, s.Ports, "the proxy is the only door")
		require.Equal(t, p.Services["first"].Environment, s.Environment)
	}
	require.Equal(t, "127.0.0.1", p.Services["proxy"].Ports[0].HostIP)
	for _, missing := range []string{"POSTGRES_PASSWORD", "S3_SECRET"} {
		env := []string{"CAPI_KEY=00"}
		for _, name := range []string{"POSTGRES_PASSWORD", "S3_SECRET"} {
			if name != missing {
				env = append(env, name+"=secret")
			}
		}
		options, err := cli.NewProjectOptions([]string{"../compose.cluster.yaml"}, cli.WithEnv(env))
		require.NoError(t, err)
		_, err = options.LoadProject(context.Background())
		require.ErrorContains(t, err, missing)
	}
}
