// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"os"
	"strings"

	"github.com/bradleyjkemp/sigma-go"
	"github.com/bradleyjkemp/sigma-go/evaluator"
	"github.com/bradleyjkemp/sigma-go/evaluator/modifiers"
	ruleengine "github.com/markuskont/go-sigma-rule-engine"
)

// newSigmaGo loads rules for github.com/bradleyjkemp/sigma-go. It reads the fields of the top
// level alone, so that records are flattened for it.
func newSigmaGo(files []string, alias map[string][]string) (engine, error) {
	config := sigma.Config{FieldMappings: map[string]sigma.FieldMapping{}}
	for from, to := range alias {
		config.FieldMappings[from] = sigma.FieldMapping{TargetNames: to}
	}
	var e engine
	var rules []*evaluator.RuleEvaluator
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return e, err
		}
		rule, err := sigma.ParseRule(text)
		if err != nil || !evaluable(&rule) {
			e.refused++
			continue
		}
		rules = append(rules, evaluator.ForRule(rule, evaluator.WithConfig(config)))
	}
	e.rules = len(rules)
	ctx := context.Background()
	e.judge = func(record map[string]any, hit func(string)) {
		flat := make(map[string]any, 2*len(record))
		flatten(flat, "", record)
		for _, rule := range rules {
			if r, err := rule.Matches(ctx, flat); err == nil && r.Match {
				hit(rule.ID)
			}
		}
	}
	return e, nil
}

// evaluable reports whether sigma-go can evaluate a rule that it has read: what it cannot, it
// says only when it comes to it.
func evaluable(rule *sigma.Rule) bool {
	for _, search := range rule.Detection.Searches {
		if len(search.Keywords) > 0 {
			return false
		}
		for _, fields := range search.EventMatchers {
			for _, f := range fields {
				used := f.Modifiers
				if n := len(used); n > 0 && used[n-1] == "all" {
					used = used[:n-1]
				}
				if _, err := modifiers.GetComparator(f.Field, modifiers.Comparators, used...); err != nil {
					return false
				}
				for _, v := range f.Values {
					s, isText := v.(string)
					if v == nil || isText && strings.HasPrefix(s, "%") && strings.HasSuffix(s, "%") {
						return false
					}
				}
			}
		}
	}
	return len(rule.Detection.Searches) > 0
}

// flatten gives nested fields names with dots.
func flatten(flat map[string]any, prefix string, record map[string]any) {
	for k, v := range record {
		if nested, ok := v.(map[string]any); ok {
			flatten(flat, prefix+k+".", nested)
		}
		flat[prefix+k] = v
	}
}

// newRuleEngine loads rules for github.com/markuskont/go-sigma-rule-engine.
func newRuleEngine(files []string, alias map[string][]string) (engine, error) {
	var e engine
	list, err := ruleengine.NewRuleList(files, true, true)
	if err != nil && list == nil {
		return e, err
	}
	var trees []*ruleengine.Tree
	for _, rule := range list {
		if tree, err := ruleengine.NewTree(rule); err == nil && !rule.Multipart {
			trees = append(trees, tree)
		}
	}
	e.rules, e.refused = len(trees), len(files)-len(trees)
	e.judge = func(record map[string]any, hit func(string)) {
		for _, tree := range trees {
			if r, ok := tree.Eval(event{record, alias}); ok {
				hit(r.ID)
			}
		}
	}
	return e, nil
}

// event is a record as go-sigma-rule-engine asks for it.
type event struct {
	record map[string]any
	alias  map[string][]string
}

// Keywords says that there is no text to search: which it would be, the engine leaves open.
func (e event) Keywords() ([]string, bool) { return nil, false }

func (e event) Select(name string) (any, bool) {
	if to := e.alias[name]; len(to) > 0 {
		for _, name := range to {
			if v, ok := at(e.record, name); ok {
				return v, true
			}
		}
		return nil, false
	}
	return at(e.record, name)
}

func at(record map[string]any, path string) (any, bool) {
	if v, ok := record[path]; ok {
		return v, true
	}
	for i := range len(path) {
		if path[i] != '.' {
			continue
		}
		if nested, ok := record[path[:i]].(map[string]any); ok {
			if v, ok := at(nested, path[i+1:]); ok {
				return v, true
			}
		}
	}
	return nil, false
}
