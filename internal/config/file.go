package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/opencapi/capi/internal/text"
)

// DefaultFile is read from the working directory if it exists.
const DefaultFile = "capi.toml"

// Values are settings as text, by flag name.
type Values map[string]string

// ReadFile reads the settings in a TOML file. An empty path means DefaultFile, which need not exist. An unknown key is an
// error that suggests the nearest known one. All errors are reported at once.
func ReadFile(path string) (Values, error) {
	p, err := os.ReadFile(cmp.Or(path, DefaultFile))
	if errors.Is(err, fs.ErrNotExist) && path == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	values, err := parse(p)
	if err != nil {
		return nil, fmt.Errorf("settings in %s: %w", cmp.Or(path, DefaultFile), err)
	}
	return values, nil
}

func parse(p []byte) (Values, error) {
	var raw map[string]any
	if err := toml.Unmarshal(p, &raw); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, col := at.Position()
			return nil, fmt.Errorf("line %d, column %d: %w", row, col, err)
		}
		return nil, err
	}
	known := Keys()
	values := make(Values, len(raw))
	var errs []error
	for key, v := range raw {
		switch v.(type) {
		case string, int64, bool:
			values[strings.ReplaceAll(key, "_", "-")] = fmt.Sprint(v)
		default:
			errs = append(errs, fmt.Errorf("%s: must be a string, a whole number, true or false", key))
		}
		if !slices.Contains(known, key) {
			errs = append(errs, unknown(key, known))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return values, errors.Join(errs...)
}

func unknown(key string, known []string) error {
	if near := text.Nearest(key, known); near != "" {
		return fmt.Errorf("%s: no such setting; did you mean %s?", key, near)
	}
	return fmt.Errorf("%s: no such setting; the settings are %s", key, strings.Join(known, ", "))
}

// Keys returns the keys that a settings file may have, in the order of the fields.
func Keys() []string {
	var keys []string
	for _, f := range fields() {
		keys = append(keys, strings.ReplaceAll(f.Tag.Get("name"), "-", "_"))
	}
	return keys
}

// Default returns the default of a setting as text, by the flag's name; empty if it has none.
func Default(name string) string {
	for _, f := range fields() {
		if f.Tag.Get("name") == name {
			return f.Tag.Get("default")
		}
	}
	return ""
}

func fields() []reflect.StructField {
	all := reflect.VisibleFields(reflect.TypeFor[Config]())
	return slices.DeleteFunc(all, func(f reflect.StructField) bool { return f.Tag.Get("name") == "" })
}
