// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

// The activity_id of the classes in use (OCSF 1.8.0). 99 is Other in all.
const (
	other = 99

	accountCreate         = 1
	accountEnable         = 2
	accountPasswordChange = 3
	accountPasswordReset  = 4
	accountDisable        = 5
	accountDelete         = 6
	accountMFAEnable      = 10
	accountMFADisable     = 11

	authLogon  = 1
	authLogoff = 2

	entityCreate  = 1
	entityRead    = 2
	entityUpdate  = 3
	entityDelete  = 4
	entityEnroll  = 6
	entityDisable = 9

	accessAssign = 1
	accessRevoke = 2

	groupAssign     = 1
	groupAddUser    = 3
	groupRemoveUser = 4
	groupDelete     = 5
	groupCreate     = 6

	emailSend = 1
	emailScan = 3

	webCreate = 1
	webRead   = 2
	webUpdate = 3
	webDelete = 4
	webSearch = 5

	appInstall = 1
	appRemove  = 2
	appUpdate  = 8

	apiCreate = 1
	apiRead   = 2
	apiUpdate = 3
	apiDelete = 4

	storeRead   = 1
	storeUpdate = 2
	storeQuery  = 4
	storeCreate = 6
	storeDelete = 7

	hostUpload      = 1
	hostDownload    = 2
	hostUpdate      = 3
	hostDelete      = 4
	hostRename      = 5
	hostCopy        = 6
	hostMove        = 7
	hostRestore     = 8
	hostPreview     = 9
	hostLock        = 10
	hostUnlock      = 11
	hostShare       = 12
	hostUnshare     = 13
	hostOpen        = 14
	hostSync        = 15
	hostAccessCheck = 17

	findingCreate = 1
	findingUpdate = 2
	findingClose  = 3
)
