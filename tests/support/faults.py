"""The fifty faults of what the world does to a program, and the tests that hold each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and by which tests it does no harm; or why there is nothing to test."""

    what: str
    tests: tuple[str, ...] = ()
    why_none: str = ""


def _fault(what: str, *tests: str) -> Fault:
    return Fault(what, tuple(f"tests/{test}" for test in tests))


_REFUSED = "training/test_tensors_refused.py::"
_TENSORS = "training/test_tensors.py::"
_OUTSIDE = "test_outside_data.py::"
_WINDOW = "gui/window/test_"
_OPENING = "data/opening/test_"

FAULTS = {
    1: _fault("a checkpoint cut short", f"{_REFUSED}test_a_file_cut_short_is_refused"),
    2: _fault("a header that lies about its size", f"{_REFUSED}test_hostile_headers_are_refused"),
    3: _fault(
        "tensors that overlap, overflow or are unknown",
        f"{_REFUSED}test_hostile_headers_are_refused",
        f"{_REFUSED}test_bytes_too_many_are_refused",
    ),
    4: _fault(
        "one flipped bit",
        f"{_REFUSED}test_every_flipped_bit_in_the_tensors_is_seen",
        f"{_REFUSED}test_a_flipped_bit_in_the_header_never_changes_a_tensor",
        f"{_REFUSED}test_a_changed_text_of_the_header_is_seen",
    ),
    5: _fault(
        "weights that are no numbers", "cli/test_main.py::test_a_bad_checkpoint_gives_one_message"
    ),
    6: _fault(
        "tensors that are others than the recipe's",
        "training/test_checkpoint.py::test_tensors_that_do_not_fit_the_recipe",
        "training/test_checkpoint.py::"
        "test_a_recipe_for_other_networks_is_refused_without_building_them",
    ),
    7: _fault(
        "metadata of a wrong type, or markup",
        f"{_OUTSIDE}test_a_bad_value_is_named",
        f"{_OUTSIDE}test_a_field_that_is_missing_is_named",
        "training/test_checkpoint.py::test_markup_in_a_name_stays_text",
        f"{_WINDOW}status_bar.py::test_a_name_is_no_markup",
    ),
    8: _fault(
        "a version newer than the program, and older ones",
        f"{_REFUSED}test_a_newer_version_is_refused_with_both_versions",
        f"{_REFUSED}test_a_file_from_before_texts_had_a_checksum_is_read",
        "training/test_checkpoint.py::test_a_file_without_changes_is_of_an_earlier_version",
        "training/test_history.py::test_what_knew_only_the_first_columns_is_read_too",
    ),
    9: _fault("a pickle that would run", f"{_REFUSED}test_a_pickle_is_refused_and_never_run"),
    10: _fault(
        "a bomb in a checkpoint; no pickle is ever unpacked",
        f"{_REFUSED}test_a_pickle_is_refused_and_never_run",
        f"{_REFUSED}test_a_large_file_is_refused_by_its_header",
    ),
    11: _fault(
        "a picture, a folder, a pipe, an empty file",
        f"{_REFUSED}test_what_is_not_a_file_is_refused_at_once",
        f"{_REFUSED}test_a_picture_is_refused",
        f"{_OUTSIDE}test_what_is_no_regular_file_is_refused",
    ),
    12: _fault(
        "a file cut short after it was opened",
        "faults/test_files.py::test_a_file_cut_short_after_it_was_opened",
    ),
    13: _fault(
        "killed while it saves",
        "training/test_killed.py::test_a_run_killed_at_any_moment_goes_on",
        f"{_TENSORS}test_being_killed_while_saving_leaves_a_whole_file",
    ),
    14: _fault(
        "a full disk",
        f"{_TENSORS}test_a_full_disk_leaves_the_old_file_and_nothing_else",
        "session/training/test_worker_failures.py::test_training_goes_on_when_the_disk_refuses",
        "session/training/test_worker_failures.py::test_a_disk_that_takes_saves_again_is_told_of_anew",
    ),
    15: _fault(
        "a folder read-only or gone, long names, links, modes",
        f"{_TENSORS}test_a_place_that_cannot_be_written_is_named",
        f"{_TENSORS}test_a_link_is_followed_and_a_mode_kept",
        "test_files.py::test_a_name_as_long_as_the_system_allows",
        "training/test_run_lock.py::test_a_folder_that_is_deleted_meanwhile_is_made_again_whole",
    ),
    16: _fault(
        "saving while it trains",
        "training/test_trainer_ends.py::test_a_published_snapshot_never_changes",
        "session/training/test_worker.py::"
        "test_a_pause_saves_and_publishes_the_model_and_nothing_moves_meanwhile",
    ),
    17: _fault(
        "resuming to the same bits, or saying that it is not",
        "training/test_run_folder.py::"
        "test_four_and_six_epochs_are_ten_whatever_is_looked_at_meanwhile",
        "training/test_run_folder.py::test_another_machine_is_warned_of",
    ),
    18: _fault(
        "two programs, one run",
        "training/test_run_lock.py::test_a_run_that_another_process_trains_is_left_alone",
    ),
    19: _fault(
        "IDX files that lie, and bombs",
        "data/test_idx.py::test_refuses_a_header_that_lies",
        "data/test_idx.py::test_reads_no_more_of_a_gzip_bomb_than_announced",
        "data/test_idx.py::test_names_damage_of_the_gzip_data",
        "data/test_bundled.py::test_refuses_files_that_are_no_pair",
        f"{_OPENING}idx_pairs.py::test_refuses_what_is_no_pair",
    ),
    20: _fault(
        "NPZ files",
        f"{_OPENING}arrays.py::test_refuses_a_damaged_archive",
        f"{_OPENING}arrays.py::test_refuses_what_is_no_stack_of_images",
        f"{_OPENING}arrays.py::test_any_stack_of_numbers",
        f"{_OPENING}opening.py::test_a_damaged_file_is_read_or_refused",
    ),
    21: _fault(
        "one image, none, fewer than a batch",
        "training/test_trainer_ends.py::test_one_image_will_do",
        "training/test_trainer_ends.py::test_fewer_images_than_a_batch_are_one_smaller_batch",
        "training/test_trainer_ends.py::test_holding_out_everything_is_refused",
        "data/test_dataset.py::test_refuses_arrays_that_do_not_fit",
        f"{_OPENING}folder.py::test_a_folder_of_none_or_one_is_refused",
    ),
    22: _fault(
        "labels: many, missing, no whole numbers",
        "gui/map/test_legend.py::test_many_classes_scroll",
        "cli/test_coding.py::test_images_of_ones_own_have_no_labels",
        "data/test_dataset.py::test_refuses_arrays_that_do_not_fit",
        f"{_OPENING}opening.py::test_labels_of_any_kind",
        f"{_OPENING}opening.py::test_a_thousand_classes_and_more",
    ),
    23: _fault(
        "blank images",
        "training/test_trainer_ends.py::test_blank_images_give_finite_numbers",
        f"{_OPENING}opening.py::test_images_that_are_all_the_same_are_read",
    ),
    24: _fault(
        "pictures with transparency, or of photos",
        "data/test_centring.py::test_what_is_transparent_is_ground",
        "data/test_centring.py::test_a_photo_in_uneven_light_keeps_its_digit",
        f"{_OPENING}folder.py::test_every_mode_has_its_stated_value",
    ),
    25: _fault(
        "pictures of any size",
        "data/test_centring.py::test_a_huge_photo_is_reduced",
        "data/test_centring.py::test_another_side_scales_all",
        "data/test_centring.py::test_a_plain_picture_is_refused",
        f"{_OPENING}folder.py::test_mixed_sizes_become_one_by_the_rule_chosen",
        f"{_OPENING}folder.py::test_reading_is_cancelled_and_tells_how_far_it_is",
    ),
    26: _fault(
        "a bomb of a picture",
        "data/test_centring.py::test_a_huge_photo_is_reduced",
        f"{_OPENING}folder.py::test_bombs_are_skipped_unread",
    ),
    27: _fault(
        "a folder of images, some broken",
        f"{_OPENING}folder.py::test_broken_files_are_skipped_with_a_list",
    ),
    28: _fault(
        "links in a circle, files that vanish",
        f"{_OPENING}folder.py::test_links_that_go_round_are_walked_once",
        f"{_OPENING}folder.py::test_a_file_that_vanishes_is_skipped",
    ),
    29: _fault(
        "names in any letters or none",
        "session/files/test_open_model.py::test_a_file_whose_name_is_no_unicode_opens",
        "session/files/test_workspace.py::test_a_path_that_is_no_unicode_comes_back",
        "session/files/test_settings.py::test_a_name_that_is_no_unicode_comes_back",
        "faults/test_files.py::test_a_name_in_any_letters",
        f"{_OPENING}folder.py::test_names_of_any_bytes_are_read",
    ),
    30: _fault(
        "a slow disk",
        f"{_WINDOW}main_thread_disk.py::test_the_main_thread_never_waits_for_the_disk",
    ),
    31: _fault(
        "closing in the middle of anything",
        "session/test_closing.py::test_closing_while_training_leaves_a_run_that_opens_and_goes_on",
        "session/test_closing.py::test_closing_in_the_first_moments_is_clean",
        "session/test_closing.py::test_closing_finishes_what_is_being_written",
        f"{_WINDOW}main_window_training.py::test_closing_ends_and_keeps_the_run",
    ),
    32: _fault(
        "a close that fails", f"{_WINDOW}main_window.py::test_a_close_that_fails_keeps_the_window"
    ),
    33: _fault(
        "start, stop and pause pressed over and over",
        "session/training/test_control.py::test_start_and_stop_pressed_200_times",
        f"{_WINDOW}main_window_training.py::"
        "test_pressing_everything_quickly_leaves_one_run_at_most",
    ),
    34: _fault(
        "thousands of moves of the pointer",
        "session/explore/test_decoding.py::test_of_many_requests_the_newest_is_decoded_once",
        "session/explore/test_decoding.py::test_each_turn_decodes_at_most_once",
    ),
    35: _fault(
        "a million events of training",
        "session/training/test_worker.py::test_posts_are_at_most_twenty_a_second",
        "session/training/test_run_history.py::"
        "test_a_long_history_is_thinned_but_for_held_out_figures",
    ),
    36: _fault(
        "whatever a thread raises",
        "session/test_jobs.py::test_whatever_is_raised_is_told_once",
        "session/training/test_worker_failures.py::"
        "test_a_run_that_breaks_in_a_step_is_told_and_the_next_works",
    ),
    37: _fault(
        "a loss that is no number",
        "session/training/test_worker_failures.py::"
        "test_a_diverged_run_keeps_the_last_good_model_and_all_its_figures",
    ),
    38: _fault(
        "a device that fails",
        "training/test_device.py::test_a_device_that_cannot_compute_is_passed_over_and_named",
        "training/test_device.py::test_a_device_asked_for_by_name_that_cannot_compute_is_refused",
    ),
    39: _fault(
        "SIGTERM, SIGINT, SIGHUP",
        "gui/test_app.py::test_a_signal_closes_a_quiet_window_and_saves_the_layout",
    ),
    40: _fault("hours of work", "faults/test_soak.py::test_memory_does_not_grow"),
    41: _fault(
        "opened and closed over and over",
        "test_leftovers.py::test_windows_timers_and_threads_are_found",
        "session/test_jobs.py::test_a_failed_job_keeps_nothing_alive",
    ),
    42: _fault(
        "references lost in calls into Qt",
        "gui/test_qt_binding.py::test_calls_into_qt_keep_the_reference_counts",
    ),
    43: _fault(
        "settings that are garbage, read-only or off screen",
        "session/files/test_settings.py::test_any_bytes_give_settings",
        "session/files/test_settings.py::test_a_refusing_disk_costs_a_warning",
        f"{_WINDOW}main_window_files.py::test_garbage_is_harmless",
        f"{_WINDOW}main_window_files.py::test_a_window_is_never_lost_off_screen",
    ),
    44: _fault(
        "any text in a box for numbers",
        "gui/widgets/test_number_box.py::test_what_is_no_number_in_range_is_kept_and_marked",
        "gui/widgets/test_number_box.py::test_a_number_is_read_alike_in_every_country",
        "test_number_format.py::test_a_number_of_any_country_is_read_or_refused",
    ),
    45: _fault(
        "an export that cannot be written",
        "cli/test_main.py::test_a_full_disk_leaves_the_old_file_whole",
        "export/test_making.py::test_places_that_cannot_be_written_to_are_named",
        f"{_WINDOW}main_window_files.py::test_a_picture_that_cannot_be_written_is_said",
        "gui/dialogs/test_ask_path.py::test_what_would_really_be_replaced_is_asked_about",
    ),
    46: _fault(
        "large type, other schemes",
        f"{_WINDOW}accessibility.py::test_nothing_is_clipped",
        f"{_WINDOW}main_window.py::test_a_scheme_recolours_every_view",
        "gui/test_theme.py::test_words_can_be_read",
    ),
    47: _fault(
        "a keyboard alone",
        f"{_WINDOW}accessibility.py::test_tab_reaches_every_control_and_comes_round",
        f"{_WINDOW}accessibility.py::test_every_control_has_a_name",
        f"{_WINDOW}records.py::test_each_key_works_wherever_the_focus_is",
    ),
    48: _fault(
        "no display, missing libraries",
        "gui/test_app.py::test_without_a_display_it_says_one_sentence",
        "gui/test_preflight.py::test_missing_libraries_are_named_by_their_packages",
        "cli/test_main.py::test_help_and_data_do_without_pytorch_and_nothing_here_loads_qt",
    ),
    49: _fault(
        "anything at all in the window",
        "faults/test_monkey.py::test_whatever_is_done_nothing_breaks",
    ),
    50: _fault(
        "versions known to be bad",
        "gui/test_preflight.py::test_only_old_python_with_new_pyside_is_refused",
    ),
}
