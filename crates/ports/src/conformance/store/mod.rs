//! What every [`Store`](crate::store::Store) must pass.
//!
//! [`store_conformance!`](crate::store_conformance) makes a test of each case; its argument is a
//! function that calls the case with an empty store.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "these are tests, in the library to be shared; what comes unexpectedly fails the case"
)]
#![cfg_attr(
    not(test),
    expect(
        clippy::wildcard_imports,
        reason = "the kit is the language of the cases"
    )
)]
#![expect(missing_docs, reason = "the name of a case is its sentence")]

pub mod accepting;
pub mod alerts;
pub mod books;
pub mod consent;
pub mod contacts;
pub mod conversations;
pub mod events;
pub mod history;
pub mod housekeeping;
pub mod inbound;
pub mod kit;
pub mod ledger;
pub mod moving;
pub mod people;
pub mod phones;
pub mod reading;
pub mod receiving;
pub mod senders;
pub mod submitting;
pub mod templates;
pub mod users;
pub mod webhooks;

/// Makes a `#[test]` of every case: `store_conformance!(with_store)`, where `with_store` is a
/// `fn(case: fn(&dyn Store))` that calls the case with an empty store.
#[macro_export]
macro_rules! store_conformance {
    ($with_store:ident) => {
        $crate::store_cases! { $with_store, accepting:
            what_was_accepted_is_read_back_whole,
            a_repeated_key_answers_with_the_original_and_writes_nothing,
            a_repeat_with_another_body_names_the_first_field_that_differs,
            a_key_is_forgotten_after_a_day,
            a_key_is_its_projects_own,
            an_earlier_use_of_a_key_is_found_for_a_day,
            a_stranger_becomes_a_contact_and_a_known_number_does_not,
            the_same_number_in_another_project_is_another_contact,
            the_threads_outbound_time_only_moves_forward,
            ids_ascend_also_when_the_clock_steps_back,
            with_send_the_first_attempt_is_started,
            what_waits_stands_in_its_lane_by_due_time_and_id,
            what_is_scheduled_is_due_for_planning_at_its_time,
        }
        $crate::store_cases! { $with_store, books:
            what_is_handed_to_a_route_is_reserved_and_settled_by_its_outcome,
            what_the_provider_did_not_take_is_released,
            a_quota_takes_the_last_message_and_not_the_next,
            a_plan_without_room_writes_nothing,
            a_project_counts_all_its_routes,
            a_quota_comes_back_when_its_period_turns,
            an_opted_out_contact_uses_up_no_quota,
            bulk_stops_at_its_share_of_a_quota,
            the_rest_of_a_message_keeps_its_place_for_the_hour,
            the_rest_of_a_message_needs_a_place_in_the_hour_in_which_it_goes_on,
            the_rest_of_a_message_of_unknown_outcome_is_reserved_anew_to_be_sent_again,
            the_rest_of_what_failed_is_given_back_when_it_comes_back,
            a_price_by_volume_is_that_of_the_moment_in_which_its_place_is_taken,
            a_plan_is_priced_by_the_volume_of_its_moment_too,
            a_price_that_names_a_volume_goes_by_that_and_by_nothing_else,
            what_a_quota_refuses_counts_in_no_volume,
            a_spend_quota_counts_what_the_volume_makes_of_a_price,
        }
        $crate::store_cases! { $with_store, ledger:
            what_a_route_charges_is_in_the_ledger_twice,
            a_deposit_is_in_the_ledger_with_its_note,
            a_deposit_under_a_key_is_noted_once_in_a_day,
            a_corrected_price_is_booked_as_the_difference,
            the_ledger_is_read_page_by_page_and_a_projects_own,
            attempts_are_tallied_by_the_hour_in_which_they_were_sent,
            tallies_are_added_up_by_what_is_asked_for,
            tallies_may_be_those_of_one_traffic_class,
            a_campaign_has_sums_of_its_own_and_its_messages_say_it,
        }
        $crate::store_cases! { $with_store, moving:
            an_older_owner_is_fenced_and_writes_nothing,
            a_message_that_does_not_exist_is_missing,
            a_plan_on_an_older_version_is_stale,
            a_plan_starts_and_keeps_its_decision_beside_the_earlier_ones,
            a_third_attempt_is_never_started,
            a_plan_goes_on_with_the_attempt_on_another_route,
            a_plan_that_fails_without_an_attempt_ends_the_message,
            a_start_is_marked_and_is_stale_when_the_route_has_it_no_more,
            a_release_takes_an_untouched_attempt_back_into_its_lane,
            settling_early_changes_nothing_and_late_ends_the_message,
            what_a_dead_owner_left_becomes_unknown,
            what_a_dead_owner_never_started_goes_back_where_starts_are_marked,
        }
        $crate::store_cases! { $with_store, submitting:
            an_accepted_submission_makes_the_message_sent,
            the_answer_of_a_route_that_lost_the_message_is_stale,
            a_failed_attempt_waits_five_seconds_for_the_second_channel,
            parked_receipts_are_folded_with_the_answer_in_the_order_of_arrival,
            a_reference_given_anew_belongs_to_the_newest_submission,
            a_submission_without_receipts_is_a_success_at_once,
            learning_that_a_contact_lacks_a_channel_is_remembered,
            learning_that_the_window_is_closed_corrects_the_record,
        }
        $crate::store_cases! { $with_store, receiving:
            a_receipt_is_found_by_any_of_its_references,
            a_receipt_is_found_by_our_own_reference,
            our_reference_on_a_route_that_never_had_it_is_not_believed,
            our_reference_on_a_route_that_had_it_before_is_believed,
            a_receipt_fits_the_only_unknown_submission_to_its_recipient,
            another_form_of_a_reference_counts_only_for_the_same_recipient,
            a_parked_receipt_is_found_under_every_form_of_its_reference,
            a_submission_that_becomes_unknown_takes_the_receipt_that_came_before,
            an_interrupted_submission_takes_the_one_receipt_that_came_before,
            a_receipt_that_fits_two_unknown_submissions_is_parked,
            a_receipt_that_may_be_for_one_whose_answer_has_not_come_is_parked_for_it,
            an_unknown_submission_takes_no_receipt_that_may_be_for_another,
            a_parked_receipt_is_looked_at_again_when_the_answer_it_may_be_for_names_another,
            whatever_ends_the_wait_for_an_answer_has_the_receipt_looked_at_again,
            a_receipt_that_is_looked_at_again_goes_to_the_only_one_that_it_fits,
            of_two_parked_receipts_none_goes_to_the_one_that_is_unknown,
            a_receipt_from_before_the_unknown_one_was_planned_is_not_its,
            a_receipt_that_may_be_for_a_copy_in_doubt_stays_parked,
            what_is_not_marked_where_starts_are_holds_no_receipt_up,
            a_resolved_submission_is_unknown_no_more,
            a_repeated_receipt_is_kept_and_counted_once,
            a_delivery_after_a_failure_corrects_the_count,
            each_part_counts_and_the_message_once,
            a_receipt_without_any_name_is_missing,
            a_late_delivery_cancels_the_fallback,
        }
        $crate::store_cases! { $with_store, inbound:
            an_inbound_message_is_kept_and_read_back_whole,
            what_a_message_answers_is_shown_with_it_where_it_is_kept,
            a_repeat_by_provider_id_changes_nothing,
            the_same_provider_id_on_another_route_is_another_message,
            messages_without_a_provider_id_are_never_repeats,
            an_inbound_message_becomes_the_newest_of_its_thread,
            a_whatsapp_message_opens_the_window_at_the_providers_time,
            a_person_who_writes_has_the_channel_after_all,
            a_person_without_a_number_is_a_contact_by_their_address,
            a_message_to_an_address_is_read_back_and_listed_by_it,
            an_alias_finds_the_contact_and_what_nobody_has_is_listed_with_it,
        }
        $crate::store_cases! { $with_store, reading:
            a_stranger_has_no_facts,
            a_lane_is_read_page_by_page,
            lanes_are_counted_by_route_and_class,
            due_is_in_order_and_next_due_is_its_first,
            what_is_in_hand_is_found_page_by_page,
            messages_are_listed_newest_first_and_by_every_filter,
            another_projects_messages_are_not_shown,
        }
        $crate::store_cases! { $with_store, contacts:
            a_contact_that_a_message_made_has_both_phone_channels,
            a_contact_is_made_with_its_addresses,
            an_address_has_one_holder,
            a_phone_number_is_one_persons_on_all_channels,
            an_update_changes_what_is_given_and_clears_what_is_emptied,
            an_erased_contact_leaves_its_messages,
            a_merge_moves_everything,
            a_contact_cannot_be_merged_with_itself,
            channels_are_added_changed_and_removed,
            the_last_address_stays,
            contacts_are_listed_newest_first_and_searched,
        }
        $crate::store_cases! { $with_store, senders:
            senders_of_the_api_are_kept_changed_and_forgotten,
            all_that_is_said_of_a_sender_is_kept_at_once_or_none_of_it,
            a_senders_endpoint_goes_with_it,
            phone_numbers_are_a_projects_own,
        }
        $crate::store_cases! { $with_store, events:
            a_message_that_is_delivered_brings_an_event_for_each_step,
            a_delivery_learnt_with_the_answer_brings_delivered_alone,
            only_the_end_of_a_message_is_a_failure_and_tells_why,
            what_waits_tells_no_channel_that_was_not_decided,
            what_writes_nothing_brings_nothing,
            the_first_message_of_a_thread_brings_the_conversation_before_itself,
            events_are_read_page_by_page_and_by_every_filter,
            the_steps_of_other_conversations_are_left_out_and_nothing_else_is,
            steps_are_in_the_conversation_that_their_contact_has_now,
            a_reading_looks_at_so_many_places_and_says_how_far_it_came,
            old_events_go_and_the_newest_stays,
        }
        $crate::store_cases! { $with_store, webhooks:
            an_endpoint_is_made_with_its_defaults_and_gets_what_comes_from_then_on,
            a_change_keeps_the_secret_and_what_is_not_named,
            what_a_sender_does_not_have_cannot_be_changed,
            an_endpoint_that_rested_gets_what_comes_after_its_rest,
            what_was_delivered_or_passed_is_done_with,
            failures_count_for_the_endpoint_and_tries_for_the_event,
            a_change_is_tried_at_once_and_makes_older_failures_stale,
            an_older_owner_delivers_no_more,
            events_are_put_back_by_name_by_time_and_from_the_dead,
            a_replay_by_time_finds_its_place_among_many,
            another_senders_events_are_not_put_back,
            what_concerns_the_project_is_in_the_queue_of_each_of_its_senders,
            an_endpoint_is_forgotten_with_all_that_waited_for_it,
            events_that_an_endpoint_needs_stay_until_nobody_can_wait_longer,
            what_an_endpoint_needs_keeps_no_other_event,
        }
        $crate::store_cases! { $with_store, users:
            a_user_is_kept_read_back_and_listed_in_the_project,
            an_address_is_one_users_in_all_projects,
            an_edit_changes_what_is_given,
            who_is_disabled_is_signed_out_and_cannot_sign_in,
            a_project_keeps_an_owner_who_can_sign_in,
            who_is_deleted_leaves_nothing,
            a_session_is_found_with_its_user_and_its_use_moves_it_forward,
            signing_in_forgets_what_is_over_and_what_is_too_much,
            a_session_is_ended_by_its_user_only,
            a_new_password_ends_the_other_sessions_and_the_link,
            a_link_works_once_in_its_time_and_only_the_newest,
            the_first_key_of_pushes_stays,
            subscriptions_are_those_of_sessions_that_are_not_over,
        }
        $crate::store_cases! { $with_store, people:
            a_message_that_waits_is_taken_by_one_person,
            who_has_a_message_is_found_until_it_is_sent_or_given_back,
            what_a_person_has_is_in_no_lane_and_is_planned_when_the_claim_ends,
            a_plan_that_was_made_before_the_claim_is_stale,
            what_a_person_sent_is_the_end_of_the_message,
            another_projects_message_cannot_be_taken,
            what_goes_to_an_opted_out_contact_is_not_taken,
            a_message_may_be_a_persons_from_the_start,
            routes_that_were_named_are_found_with_their_names,
        }
        $crate::store_cases! { $with_store, housekeeping:
            short_names_are_stable_and_of_their_kind,
            keys_are_kept_and_revoked_for_good,
            pruning_forgets_old_keys_and_parked_receipts,
            completions_are_called_in_the_order_of_commit,
            a_query_sees_every_completed_operation,
        }
        $crate::store_cases! { $with_store, history:
            a_word_over_a_route_is_kept_replaced_and_taken_back,
            the_log_is_read_newest_first_and_by_every_filter,
            the_log_tells_of_a_change_and_not_of_what_changed_nothing,
            old_lines_of_the_log_go_the_oldest_first,
        }
        $crate::store_cases! { $with_store, alerts:
            an_alert_is_raised_once_and_resolved_once_and_each_is_told,
            each_quota_of_a_route_has_an_alert_of_its_own,
            a_silenced_alert_is_kept_and_told_when_somebody_says_so,
            who_has_seen_an_alert_first_stays,
            alerts_are_listed_newest_first_and_by_every_filter,
            silences_hold_until_their_time_or_their_end,
            how_far_alerts_were_mailed_only_moves_forward,
            how_messages_of_a_route_ended_of_late_is_kept_as_it_was_told_last,
            an_older_owner_raises_and_resolves_nothing,
            what_is_over_is_forgotten_and_what_is_raised_stays,
        }
        $crate::store_cases! { $with_store, consent:
            an_opt_out_holds_for_the_sender_and_is_reversed,
            a_refused_message_is_not_counted,
            a_stranger_who_opts_out_becomes_a_contact,
            a_change_is_remembered_and_what_changes_nothing_is_not,
            a_keyword_changes_consent_with_its_message,
            an_everyday_word_changes_consent_only_where_the_person_is_out,
            the_answer_to_a_keyword_goes_out_also_after_an_opt_out,
            an_answer_is_accepted_with_its_keyword_where_it_is_owed,
            who_wants_no_promotions_gets_everything_else,
            what_waits_is_not_handed_over_after_an_opt_out,
            consent_survives_a_merge_and_its_history_goes_with_the_contact,
            an_opt_out_of_the_project_holds_for_senders_that_are_made_later,
            who_is_in_again_for_one_sender_stays_out_of_the_others,
            a_project_without_promotions_gets_everything_else,
            a_thread_that_an_inbound_message_begins_stands_as_the_project,
            what_waits_of_any_sender_is_not_handed_over_after_an_opt_out_of_the_project,
            of_merged_contacts_the_stricter_one_counts_for_each_sender,
            who_is_erased_stays_opted_out,
            what_waits_for_who_is_erased_is_not_handed_over,
            who_was_erased_and_is_made_again_stands_as_before,
            who_is_erased_in_one_project_is_a_stranger_in_another,
        }
        $crate::store_cases! { $with_store, conversations:
            a_conversation_counts_its_messages_and_shows_the_newest,
            a_repeated_inbound_message_is_not_counted_again,
            a_channel_joins_when_a_message_is_handed_to_it,
            reading_sets_the_unread_to_zero,
            what_is_unread_is_counted_and_found_alone_until_it_is_read,
            conversations_are_listed_newest_activity_first_and_by_every_filter,
            the_messages_of_a_conversation_are_found,
            merged_conversations_are_one,
            an_erased_contact_has_no_conversation,
            the_providers_name_of_a_message_is_found,
        }
        $crate::store_cases! { $with_store, templates:
            a_template_is_made_as_a_draft_and_read_back_whole,
            templates_are_listed_newest_first_and_all_of_them_page_by_page,
            a_template_is_its_projects_own,
            a_template_is_forgotten_once,
            a_submitted_template_is_linked_and_stands_as_the_provider_says,
            twilios_id_of_a_content_is_kept_as_such,
            a_providers_change_is_found_by_its_id_before_the_name,
            a_providers_change_is_found_by_name_where_no_other_account_has_it,
            of_namesakes_a_provider_means_the_newest,
            a_change_that_changes_nothing_leaves_the_time,
            a_sync_imports_links_updates_and_leaves,
            a_sync_keeps_what_the_provider_does_not_have,
            a_template_that_moves_brings_an_event_and_any_other_change_none,
        }
        $crate::store_cases! { $with_store, phones:
            a_phone_is_read_back_whole_and_one_that_was_sent_away_is_not,
            permissions_are_kept_by_their_token_until_they_are_old,
            what_a_phone_may_still_send_is_found_at_the_start_and_the_rest_by_its_id,
            what_was_sent_is_counted_and_what_was_taken_back_is_not,
            old_handings_are_forgotten_a_few_at_a_time,
            the_newest_peers_are_found_first_and_each_person_has_one,
        }
    };
}

/// Part of [`store_conformance!`](crate::store_conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! store_cases {
    ($with_store:ident, $module:ident: $($case:ident,)+) => {
        mod $module {
            $(
                #[test]
                fn $case() {
                    super::$with_store($crate::conformance::store::$module::$case);
                }
            )+
        }
    };
}
