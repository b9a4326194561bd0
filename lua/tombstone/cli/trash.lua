--- `tombstone trash …`: what is in the trash, back from there, and away for good.
-- @module tombstone.cli.trash
return {
  name = "trash",
  summary = "Look at the trash, restore rows, undo deletions, purge.",
  commands = {
    require "tombstone.cli.trash_list",
    require "tombstone.cli.trash_show",
    require "tombstone.cli.trash_stats",
    require "tombstone.cli.trash_restore",
    require "tombstone.cli.trash_undo",
    (require "tombstone.cli.trash_purge"),
  },
}
