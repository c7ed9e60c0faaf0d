// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

// kept are the members beside those in members that Microsoft documents (those
// of complex types among them, which some workloads send at the top) or sends.
// They stay in unmapped; a member that is neither here nor in members is news,
// see Drift.
const kept = "AADGroupId AADSessionId APIId APIsCalled Action ActionId ActionStatus ActionType Actions Activity ActivityDateTime ActivityParameters ActorContextId " +
	"ActorIP ActorUserId ActorYammerUserId AddOnType AddedIdentities AdditionalActionsAndResults AdditionalInfo Address AffectedItems AgentID AgentName " +
	"AgentType AggregateDurationInSeconds AgreementCreationDateTime AgreementId AgreementRecipients AgreementSender AgreementStatus AlertLinks AlertType " +
	"Algorithm Altitude AppRegistrationTenantId Application ApplicationMode ApplicationName ApplicationVersion ApprovalExpiryDateInUTC " +
	"ApprovalUpdatedDateInUTC ApprovalValidDays ApprovedBy Approver AssignedToMeEnabled AssignmentMethod AssociatedAdminUnits AttachmentData AttachmentId " +
	"AttachmentName AttachmentSizeInBytes Attachments AttackTechnique Audit AuthDetails AuthType AuthenticationMethod AuthenticationStatus AutomationId " +
	"AzureActiveDirectoryEventType BCC BackupItemID BackupItemId BackupItemType BillingAzureResourceGroupName BillingAzureSubscriptionId BillingPolicyId " +
	"BrowserName BrowserVersion CC CampaignType CaseId CaseName ChannelChange ChannelChangeDevices ChannelType ChatName City ClassificationInfo " +
	"ClassificationMode ClassificationPosture ClassificationResult Client ClientAppName ClientMachineName ClientProcessName ClientRegion ClientUUID " +
	"ClientVersion CloudInstanceName CmdletVersion CommunicationType ComplianceLabel ComponentFault Compute ConditionsMatched Confidence ConfigId " +
	"ConfigName ConfigScope Connectors ConsumerMailbox ContactEmail1DisplayName ContactEmail1EmailAddress ContactEmail2DisplayName " +
	"ContactEmail2EmailAddress ContactEmail3DisplayName ContactEmail3EmailAddress ContainerId ContainerType CopilotEventData CopyActivityRunId Count " +
	"CountByDeliveryStatus CountByThreatType CountOfArtifactsBeingAdded CountOfArtifactsBeingRemoved CountryOrRegion CreationMethodology " +
	"CrmOrganizationUniqueName CrossMailboxOperation CrossMailboxOperations CustomEvent CustomUniqueId CustomizedDoclib DashboardName " +
	"DataCenterSecurityEventType DataClassification DataDSRControl DataExportType DataOnboardingAtSetup DataOnboardingStatus DataScanned DataSources " +
	"DataState DataType DatabaseName DatabaseType DatabasesRead DatabasesWrite DatasetColumns DatasetName Datasets Deadline DeeplinkURL DenyGroups " +
	"Description DestFolder DestMailboxId DestMailboxOwnerMasterAccountSid DestMailboxOwnerSid DestMailboxOwnerUPN DestinationFileExtension " +
	"DestinationLabel DestinationSinks DestinationTenantId Detail Details DetectedValues DetectionDate DetectionMethod DetectionTimingType DetectionType " +
	"DeviceName Devices Directionality DiscardEmployeeIds DiscoveryId DisplayName DoNotDistributeEvent DocumentId DocumentLastModifier DocumentMetaData " +
	"DocumentProperties DocumentSharer DomainURL EditMethodology EffectiveOrganization ElevationApprovedTime ElevationApprover ElevationDuration " +
	"ElevationRequestId ElevationRole ElevationTime EndDate EndTime EndTimeData EnforcementMode Entities Entity EntityId EntityName EnvironmentId " +
	"EnvironmentName Event EventDetails EventId EventName EventOccurenceTime EventSignature EventSource EventTime EventValue ExceptionInfo ExclusionList " +
	"ExecutionDuration Experience ExportName ExportTriggeredAt ExtendedCompletionDate ExternalAccess ExternalUserTenantId ExtraProperties FailureReason " +
	"FailureType FalsePositive FeedBackComponentName Fields FileExtension FileHashes FileId FileOwner FileOwnerEmail FilePath FilePathUrl FileSize " +
	"FileSyncBytesCommitted FileType FileVerdict Files FinalOverride Folder FolderItems Folders ForAllUsers FormId FormType FormTypes FormsUserType " +
	"FormsUserTypes From FromApp GenericInfo GeoCoordinates GeoLocation GoalList GraphName Groups HighPriorityMediaProcessing HostAppId HostedContents ID " +
	"ImmutableId ImportType InputParameters InstanceUrl Interface InternalLogonType IntraSystemId IntraSystemsId Invitee InviteeTenantId Invitees IsDocLib " +
	"IsHiddenList IsMatch IsPriorityCleanup IsRecord IsRetry IsSoftDelete IsViewableByExternalUsers IsWorkflow IssuedAtTime ItemCount ItemDetails ItemID " +
	"ItemId ItemIds ItemNames ItemSize ItemUrl JobEndTime JobExecutionDurationInSecs JobId JobName JobRunStatus JobStartTime JobTotalDurationInSecs JobType " +
	"Justification KernalId Key LabelAction LabelAppliedDateTime LabelId LabelName LastModifiedBy LastModifiedDate LastModifiedTime LastUpdatedDateTime " +
	"LatestDeliveryLocation Latitude ListBaseTemplateType ListBaseType ListColor ListIcon ListId ListName ListServerTemplate ListUrl LoginStatus LogonType " +
	"Logs Longitude MachineDomainInfo MailCount MailboxOwnerMasterAccountSid MailboxOwnerSid MailboxPrimaryAddress MalwareFamily " +
	"MbxLoginLocalQueueADLookupInfo MeetingId MemberEmail MemberIds MemberRights MemberSid MemberUpn MembershipInformation MemoryPeak Message MessageID " +
	"MessageItems MessageList MessageSizeInBytes MessageTime MessageURLs Messages ModifiedFields ModifiedObjectResolvedName NameOfDownloadedZipFile " +
	"NetworkMessageIds NewContainerId NewContainerType NewLabel NewPlanId NewValue NonPiiParameters Object1Id Object1Name Object1Type Object2Id Object2Name " +
	"Object2Type ObjectType OldLabel OldValue OnBehalfOfResId OperationDetails OperationId OperationInput OperationStatus OrgAppPermission OrgIdPuid " +
	"OrganizationAdmins OrganizationName OrganizationOwner OriginalContainerId OriginalContainerType OriginalDeliveryLocation OriginalPlanId " +
	"OriginatingServer OtherConditions OverriddenActions ParentEntityId ParentFolder ParentMessage ParentMessageId ParticipantInfo Path PipelineName " +
	"PipelineRunId PlaceType PlanId PlanList Platform Policies Policy PolicyID PolicyName PreviousClassificationInfo PrimaryFieldValue Priorities Priority " +
	"PrivacyPolicyType ProductType ProfileExclusionWindows ProfileName ProfileState ProjectEnabled ProjectId PromptText Property ProtectionEventData " +
	"ProtectionUnitID ProvisioningStatus Puid PulseId Query QueryFiles QueryId QueryResponse QueryText QueryTime Reason ReceivedDate RecipientCount " +
	"RecipientEmail RecipientName RecordNumber RelatedAlertIds RelativeUrl ReleaseTo RemovedIdentities ReportMetadata RequestId RequestSource RequestType " +
	"ResharePermission ResourceTenantId ResourceURL RestoreLocation RestoreLocationType RestoreTime Result ResultCount ResultMessage ResultTableCount " +
	"ResultsTruncated RiskState RoadmapEnabled RoadmapId RoadmapItemId Role RollbackBuildNumber RollbackDevices RollbackType Roster RowCount RuleId " +
	"RuleMode RuleName Rules RunEndTime RunStartTime RunningTime SHA256 SaveToSentItems ScenarioType Schedule Scope ScopeCountDelivered ScopeCountRequested " +
	"ScopeFiltersUris ScopeList SearchScope SecurityComplianceCenterEventType SendAsUserMailboxGuid SendOnBehalfOfUserMailboxGuid SenderIP " +
	"SensitiveInfoDetectionIsIncluded SensitiveInfoTypeData SensitiveInformation SensitiveInformationDetections SensitiveInformationTypeName SensitiveType " +
	"Sensitivity SensitivityLabelEventData SensitivityLabelId SensitivityLabelOwnerEmail Sent ServiceType SessionDurationInSecs SessionEndTime " +
	"SessionStartTime SettingId SettingName Settings ShareId ShareName SharedWithContainerAccessLevel SharedWithContainerId SharedWithContainerType " +
	"SharingInformation SharingType Site SiteCollectionGuid SiteCollectionUrl SizeInBytes Smtp Source SourceApp SourceId SourceLabel SourceName " +
	"SourceUserId SourceWorkload StartDate StartTime State SubmissionId SubmissionNotification SubscriptionId SubscriptionsEnabled SuccessStatus " +
	"SupportTicketId SwitchState SyncFrequency SyncStartTime SystemOverrides TAK TabType TableName Tables TablesRead TablesWrite TargetContextId " +
	"TargetObjectId TargetUserId TargetYammerUserId TaskID TaskId TaskList Teams TemplateTypeId TenantId TenantSettings ThreadId ThreadType Threats " +
	"ThreatsAndDetectionTech TimeData TimeOfClick Timestamp TimestampUtc To TokenIssuerType TokenObjectId TokenTenantId TokenType ToolID ToolName TotalCPU " +
	"TotalCpuHours TotalRows TotalSCUHours TriggerMode Type UPN URL URLClickAction URLPath UndeliveredScope UniqueCount UniqueId UniqueSharingId " +
	"UniqueTokenId UniqueTokenIdentifier UpdateValidationState Upn Urls UserAssignments UserCancelled UserDomain UserRole UserServicePlan UserSharedWith " +
	"UserTrainingEvent Username Value VersionId VirusVendor WaveDelay Waves WebId WorkSpaceName WorkspaceId WorkspaceName WpaUserRole YammerNetworkId " +
	"ZipFileName itemCreationTime recipientCount "
