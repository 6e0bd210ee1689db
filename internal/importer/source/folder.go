package source

import (
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
)

const folderFilesMax = 100_000

// tablesIn returns the files of a folder and of the folders in it that may hold a table, in the order of their names, and the names of
// the others. Files and folders that begin with a dot or an underscore are neither: programs put them beside their data.
func tablesIn(folder string) (tables, others []string, err error) {
	err = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		name := e.Name()
		switch {
		case err != nil:
			return err
		case path == folder:
		case strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || isHidden(name):
			if e.IsDir() {
				return fs.SkipDir
			}
		case e.IsDir():
		case isTableName(name) || isPart(name):
			tables = append(tables, path)
		default:
			rest, _ := filepath.Rel(folder, path) // it is below the folder
			others = append(others, rest)
		}
		if len(tables)+len(others) > folderFilesMax {
			return fmt.Errorf("it has more than %d files; name those to import", folderFilesMax)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("read the folder %s: %w", folder, err)
	case len(tables) == 0 && len(others) == 0:
		return nil, nil, fmt.Errorf("%s is a folder without files", folder)
	case len(tables) == 0:
		return nil, nil, fmt.Errorf("%s is a folder, and no file in it has a name that import can read, such as companies.csv; its files are: %s", folder, someOf(others))
	}
	return tables, others, nil
}

// isPart reports whether a file is a part of a table that a program wrote to several files without an extension, such as part-00000.
func isPart(name string) bool {
	return strings.HasPrefix(name, "part-") && filepath.Ext(name) == ""
}

// defaultPartition is the value of a partition without one.
const defaultPartition = "__HIVE_DEFAULT_PARTITION__"

// partitionOf returns the fields that are in the names of a file's folders, as in country=DE/year=2024/part-0.parquet.
func partitionOf(path string) []Field {
	var fields []Field
	for _, part := range strings.Split(filepath.ToSlash(filepath.Dir(path)), "/") {
		name, value, ok := strings.Cut(part, "=")
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		if ok && name != "" && value != "" && value != defaultPartition {
			fields = append(fields, Field{name, Value{Kind: Text, Text: value}})
		}
	}
	return fields
}

// partitioned adds fields to each record that does not have them.
type partitioned struct {
	reader
	fields []Field
}

func (p *partitioned) nextChunk() (Chunk, error) {
	c, err := p.reader.nextChunk()
	if err != nil {
		return nil, err
	}
	return &partitionedChunk{c, p.fields}, nil
}

type partitionedChunk struct {
	Chunk
	fields []Field
}

// Records adds the fields to the records of the chunk.
func (p *partitionedChunk) Records(yield func(*Record)) {
	p.Chunk.Records(func(r *Record) {
		have := r.Fields
		if r.Reason == "" {
			for _, f := range p.fields {
				if !hasField(have, f.Name) {
					r.Fields = append(r.Fields, f)
				}
			}
		}
		yield(r)
	})
}

func hasField(fields []Field, name string) bool {
	for i := range fields {
		if strings.EqualFold(fields[i].Name, name) {
			return true
		}
	}
	return false
}
