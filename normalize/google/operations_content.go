// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import "github.com/daybreak-sec/daybreak/ocsf"

// The events of the applications that hold people's content. Each application
// has a page under
// https://developers.google.com/workspace/admin/reports/v1/appendix/activity.

var driveGroups = []group{
	{rule{ocsf.ClassFileHosting, hostOpen, ""}, "view access_item_content prefetch_item_content access_url"},
	{rule{ocsf.ClassFileHosting, hostPreview, ""}, "preview"},
	{rule{ocsf.ClassFileHosting, hostDownload, ""}, "download download_forms_response download_video_caption"},
	{rule{ocsf.ClassFileHosting, hostUpload, ""}, "create upload"},
	{rule{ocsf.ClassFileHosting, hostDelete, ""}, "delete trash"},
	{rule{ocsf.ClassFileHosting, hostRename, ""}, "rename"},
	{rule{ocsf.ClassFileHosting, hostCopy, ""}, "copy source_copy"},
	{rule{ocsf.ClassFileHosting, hostMove, ""}, "move add_to_folder remove_from_folder unmovable_item_reparented"},
	{rule{ocsf.ClassFileHosting, hostRestore, ""}, "untrash"},
	{rule{ocsf.ClassFileHosting, hostLock, ""}, "add_lock"},
	{rule{ocsf.ClassFileHosting, hostUnlock, ""}, "remove_lock"},
	{rule{ocsf.ClassFileHosting, hostSync, ""}, "sync_item_content"},
	{rule{ocsf.ClassFileHosting, hostShare, ""}, "email_as_attachment publish_change"},
	{rule{ocsf.ClassFileHosting, bySharing, ""}, "change_user_access change_user_access_hierarchy_reconciled change_document_visibility change_document_visibility_hierarchy_reconciled " +
		"change_document_access_scope change_document_access_scope_hierarchy_reconciled shared_drive_membership_change team_drive_membership_change sheets_import_range_access_change"},
	{rule{ocsf.ClassFileHosting, hostAccessCheck, ""}, "request_access deny_access_request expire_access_request"},
	{rule{ocsf.ClassFileHosting, hostUpdate, ""}, "edit encrypt approval_canceled approval_comment_added approval_completed approval_decisions_reset approval_due_time_change approval_requested " +
		"approval_reviewer_change approval_reviewer_responded create_comment delete_comment edit_comment reassign_comment reopen_comment resolve_comment " +
		"cancel_esignature complete_esignature request_esignature review_esignature label_added label_added_by_item_create label_field_changed label_removed " +
		"delete_revision pin_revision unpin_revision create_script_trigger delete_script_trigger sheets_import_url sheets_import_range accept_suggestion create_suggestion " +
		"delete_suggestion reject_suggestion delete_video_caption upload_video_caption apply_security_update remove_security_update shared_drive_apply_security_update " +
		"shared_drive_remove_security_update change_owner change_owner_hierarchy_reconciled change_acl_editors disable_inherited_permissions enable_inherited_permissions " +
		"publish_new_version shared_drive_settings_change team_drive_settings_change"},
	{rule{ocsf.ClassFileHosting, other, ""}, "print email_collaborators report_abuse appeal_abuse_violation pause_sync_client resume_sync_client storage_usage_update"},
	{rule{ocsf.ClassWebResourcesActivity, webSearch, "Drive"}, "search"},
	{rule{ocsf.ClassDatastoreActivity, storeQuery, "Connected sheet"}, "connected_sheets_query"},
}

var calendarGroups = []group{
	{rule{ocsf.ClassUserAccess, byGrant, ""}, "change_calendar_acls"},
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Calendar"}, "create_calendar delete_calendar change_calendar_country change_calendar_description change_calendar_location change_calendar_timezone " +
		"change_calendar_title export_calendar add_subscription delete_subscription create_appointment_schedule change_appointment_schedule delete_appointment_schedule"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, "Calendar"}, "print_preview_calendar"},
	{rule{ocsf.ClassWebResourcesActivity, other, "Calendar"}, "notification_triggered"},
	{rule{ocsf.ClassWebResourcesActivity, webCreate, "Event"}, "create_event"},
	{rule{ocsf.ClassWebResourcesActivity, webDelete, "Event"}, "delete_event remove_event_from_trash"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Event"}, "add_event_guest remove_event_guest change_event change_event_guest_response change_event_guest_response_auto change_event_start_time change_event_title restore_event transfer_event_requested transfer_event_completed"},
}

var chatGroups = []group{
	{rule{ocsf.ClassGroupManagement, groupCreate, ""}, "room_created"},
	{rule{ocsf.ClassGroupManagement, groupDelete, ""}, "room_deleted"},
	{rule{ocsf.ClassGroupManagement, groupAddUser, ""}, "add_room_member invite_accept"},
	{rule{ocsf.ClassGroupManagement, groupRemoveUser, ""}, "remove_room_member room_left"},
	{rule{ocsf.ClassGroupManagement, other, ""}, "role_updated room_details_updated room_name_updated invite_send invite_decline"},
	{rule{ocsf.ClassFileHosting, hostUpload, ""}, "attachment_upload"},
	{rule{ocsf.ClassFileHosting, hostDownload, ""}, "attachment_download"},
	{rule{ocsf.ClassApplicationLifecycle, appInstall, ""}, "app_added"},
	{rule{ocsf.ClassApplicationLifecycle, appRemove, ""}, "app_removed"},
	{rule{ocsf.ClassApplicationLifecycle, other, ""}, "app_invoked"},
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Message"}, "message_posted message_edited message_deleted message_report_resolved"},
	{rule{ocsf.ClassWebResourcesActivity, other, "Message"}, "message_reported"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Message"}, "reaction_added reaction_removed"},
	{rule{ocsf.ClassWebResourcesActivity, webCreate, "Conversation"}, "direct_message_started"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, "Conversation"}, "conversation_read"},
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Emoji"}, "emoji_created emoji_deleted"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Space"}, "history_turned_on history_turned_off block_room room_unblocked block_user user_unblocked custom_status_updated unread_timestamp_updated"},
}

var meetGroups = []group{
	{rule{ocsf.ClassWebResourcesActivity, other, "Meeting"}, "call_ended knocking_accepted knocking_denied ring_answered ring_missed ring_sent dialed_out presentation_stopped watermarking_active " +
		"watermarking_stopped abuse_report_submitted broadcast_activity in_meet_broadcast_activity presentation_started recording_activity transcription_activity watermarking_starting"},
	{rule{ocsf.ClassWebResourcesActivity, webCreate, "Meeting"}, "poll_created question_created poll_answered question_responded send_chat_everyone send_chat_contributors send_chat_hosts"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, "Meeting"}, "see_chat_everyone see_chat_participants livestream_watched"},
	{rule{ocsf.ClassWebResourcesActivity, webShare, "Meeting"}, "invitation_sent"},
}

var keepGroups = []group{
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Note"}, "created_note deleted_note edited_note_content deleted_attachment uploaded_attachment"},
	{rule{ocsf.ClassWebResourcesActivity, webShare, "Note"}, "modified_acl"},
}

var classroomGroups = []group{
	{rule{ocsf.ClassGroupManagement, groupAddUser, ""}, "user_added_to_course user_joined_course"},
	{rule{ocsf.ClassGroupManagement, groupRemoveUser, ""}, "user_removed_from_course"},
	{rule{ocsf.ClassGroupManagement, other, ""}, "user_invited_to_course user_gained_preview_access_to_course user_invited_to_own_course new_user_owns_course"},
	{rule{ocsf.ClassWebResourcesActivity, webExport, "Course"}, "grade_export_for_course_work grade_export_for_submission"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Course"}, "set_draft_grade unset_draft_grade set_grade unset_grade changed_submission_state transferred_ownership_of_course " +
		"share_classwork_settings_updated_for_course guardian_summaries_settings_updated_for_teacher default_guardian_summaries_settings_updated_for_teacher " +
		"guardian_invited_for_student guardian_removed_for_student guardian_responded_to_invite guardian_summaries_settings_updated_for_course guardian_updated_email scored_rubric"},
	{rule{ocsf.ClassWebResourcesActivity, webCreate, "Course"}, "commented_announcement commented_course_work commented_submission_private commented_submission_public originality_report_created"},
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Course"}, "created_add_on_attachment deleted_add_on_attachment updated_add_on_attachment_submission_grade updated_add_on_attachment " +
		"published_announcement updated_announcement published_course_work updated_course_work created_rubric_for_course_work archived_course created_course deleted_course " +
		"created_course_quick_link deleted_course_quick_link edited_course_quick_link restored_course created_grade_category deleted_grade_category edited_grade_category"},
}

var dataStudioGroups = []group{
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Report"}, "CREATE DELETE EDIT RESTORE TRASH VIEW"},
	{rule{ocsf.ClassWebResourcesActivity, webExport, "Report"}, "DATA_EXPORT DOWNLOAD_REPORT"},
	{rule{ocsf.ClassWebResourcesActivity, webShare, "Report"}, "CHANGE_ASSET_LINK_SHARING_ACCESS_TYPE CHANGE_ASSET_LINK_SHARING_VISIBILITY CHANGE_USER_ACCESS CHANGE_USER_ACCESS_TO_ASSET_VIA_WORKSPACE"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Report"}, "ADD_REPORT_EMAIL_DELIVERY STOP_REPORT_EMAIL_DELIVERY UPDATE_REPORT_EMAIL_DELIVERY PARENT_WORKSPACE_CHANGE CHANGE_DATA_SOURCE_ACCESS_TYPE"},
}

var gplusGroups = []group{
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Post"}, "create_comment delete_comment edit_comment create_post delete_post edit_post"},
	{rule{ocsf.ClassWebResourcesActivity, webDelete, "Post"}, "content_manager_delete_post"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Post"}, "add_plusone remove_plusone add_poll_vote remove_poll_vote"},
}

// vaultGroups: what begins is logged again when it ends.
var vaultGroups = []group{
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Matter"}, "add_collaborator_begin add_collaborator_end remove_collaborator_begin remove_collaborator_end close_investigation_begin close_investigation_end " +
		"reopen_investigation_begin reopen_investigation_end restore_investigation_begin restore_investigation_end update_investigation_details_begin " +
		"update_investigation_details_end obsolete_api_matters_update"},
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Matter"}, "create_investigation_begin create_investigation_end delete_investigation_begin delete_investigation_end view_investigation " +
		"view_matter_audit_log view_system_audit_log"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, "Matter"}, "obsolete_api_matters_get obsolete_api_matters_list download_count_per_account_csv get_count_operation"},
	{rule{ocsf.ClassWebResourcesActivity, webCreate, "Matter"}, "obsolete_api_matters_insert"},
	{rule{ocsf.ClassWebResourcesActivity, webDelete, "Matter"}, "obsolete_api_matters_delete"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, "Document"}, "view_document view_document_information view_external_document"},
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Hold"}, "add_litigation_hold_begin add_litigation_hold_end remove_litigation_hold_begin remove_litigation_hold_end " +
		"add_preservation_rule_begin add_preservation_rule_end delete_preservation_rule_begin delete_preservation_rule_end update_preservation_rule_add_holds_begin " +
		"update_preservation_rule_add_holds_end update_preservation_rule_query_begin update_preservation_rule_query_end update_preservation_rule_remove_holds_begin " +
		"update_preservation_rule_remove_holds_end view_cross_matter_litigation_hold_report view_custodian_litigation_hold_report view_per_matter_litigation_hold_report " +
		"download_cross_matter_litigation_hold_report download_per_matter_litigation_hold_report"},
	{rule{ocsf.ClassWebResourcesActivity, webCreate, "Hold"}, "obsolete_api_holds_insert"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, "Hold"}, "obsolete_api_holds_list"},
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Retention rule"}, "add_retention_rule_begin add_retention_rule_end delete_retention_rule_begin delete_retention_rule_end update_retention_rule_begin " +
		"update_retention_rule_end update_retention_settings modify_default_retention_period_begin modify_default_retention_period_end view_retention_policy view_retention_settings " +
		"preview_retention_rule"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, "Retention rule"}, "obsolete_preview_retention_rule_count"},
	{rule{ocsf.ClassWebResourcesActivity, webDelete, "Accelerated deletion"}, "create_accelerated_deletion_begin create_accelerated_deletion_end"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Accelerated deletion"}, "cancel_accelerated_deletion_begin cancel_accelerated_deletion_end"},
	{rule{ocsf.ClassWebResourcesActivity, byVerb, "Saved query"}, "create_saved_query_begin create_saved_query_end delete_saved_query_begin delete_saved_query_end update_saved_query_details_begin update_saved_query_details_end"},
	{rule{ocsf.ClassWebResourcesActivity, webUpdate, "Saved query"}, "convert_saved_query_to_collection_begin convert_saved_query_to_collection_end"},
	{rule{ocsf.ClassWebResourcesActivity, webExport, "Export"}, "create_export_begin create_export_end export export_file_download legacy_export_download"},
	{rule{ocsf.ClassWebResourcesActivity, webDelete, "Export"}, "delete_export_begin delete_export_end delete_export_fail"},
	{rule{ocsf.ClassWebResourcesActivity, webRead, "Export"}, "obsolete_api_exports_list"},
	{rule{ocsf.ClassWebResourcesActivity, webSearch, "Matter"}, "search search_count deletion_search"},
}

var rulesGroups = []group{
	{rule{ocsf.ClassDetectionFinding, byRuleType, ""}, "rule_match rule_trigger action_complete"},
	{rule{ocsf.ClassFileHosting, hostUpdate, ""}, "label_applied label_field_value_changed label_removed"},
}
