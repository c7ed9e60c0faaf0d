// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"context"
	"errors"
	"strings"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/admin"
)

// Try reads as little of a control as shows whether the application may: nothing is written down. The subscriptions of the
// Management Activity API are tried with the source that collects by them.
func (c *Control) Try(ctx context.Context, client *admin.Client, clientID string) error {
	one := func(jsontape.Value) error { return nil }
	cmdlet := func(name string) error {
		return client.Cmdlet(ctx, name, map[string]any{"ResultSize": 1}, []string{"Identity"}, one)
	}
	switch c.Name {
	case "unified-audit-log":
		return client.Cmdlet(ctx, "Get-AdminAuditLogConfig", nil, []string{"UnifiedAuditLogIngestionEnabled"}, one)
	case "mailbox-audit-default":
		return client.Cmdlet(ctx, "Get-OrganizationConfig", nil, []string{"AuditDisabled"}, one)
	case "mailbox-audit":
		return cmdlet("Get-Mailbox")
	case "audit-bypass":
		return cmdlet("Get-MailboxAuditBypassAssociation")
	case "licenses":
		return client.Graph.Get(ctx, "v1.0/subscribedSkus", "$select=skuId", one)
	case "user-license":
		roles, err := client.Graph.Roles(ctx)
		if err == nil && !strings.Contains(" "+strings.Join(roles, " ")+" ", " User.Read.All ") {
			err = errors.New("the token has no User.Read.All")
		}
		return err
	case "diagnostic-settings":
		return client.Azure.Get(ctx, diagnosticsPath, diagnosticsQuery, one)
	case "event-hub":
		w := &Watch{o: Options{Admin: client}}
		_, err := readHubs(ctx, w, nil)
		return err
	case "application":
		return client.Graph.Get(ctx, "v1.0/servicePrincipals(appId='"+clientID+"')", "$select=id", one)
	}
	return nil
}
