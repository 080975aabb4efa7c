#!/usr/bin/env bash
# Makes static/vendor and static/testing again from the registry that npm is set to. Run by hand when a version
# changes; what it makes is committed. A package whose bytes are not the pinned ones ends it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# Unpacks NAME@VERSION into $scratch/FOLDER when its SHA-256 is the third argument.
fetch() {
  local package="$1" folder="$2" sum="$3" file
  mkdir -p "$scratch/$folder"
  file="$(cd "$scratch" && npm pack --silent "$package" 2>/dev/null | tail -1)"
  echo "$sum  $scratch/$file" | sha256sum --check --quiet -
  tar -xzf "$scratch/$file" -C "$scratch/$folder" --strip-components 1
}

fetch @tabler/core@1.6.1 tabler d02d679e51f6c179b21f035e154c13cdcb2ae8b18579e56ea606408ba7fc7a87
fetch @tabler/icons@3.51.0 icons b30108713d3fa60aee862c2a133225da8e0f309be0708fe2925763ff810c766c
fetch htmx.org@2.0.11 htmx 165a2655073e9e6e55e307a7c74e8ebcdb76afb7701f9c16cfd106a13add408e
fetch axe-core@4.14.1 axe e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745

# The map that the last line names is not served, so the line goes.
sed -E 's#/\*[^*]*sourceMappingURL=[^*]*\*/##' "$scratch/tabler/dist/css/tabler.min.css" >vendor/tabler.min.css
cp "$scratch/htmx/dist/htmx.min.js" vendor/htmx.min.js
cp "$scratch/htmx/LICENSE" vendor/htmx.LICENSE.txt
cp "$scratch/icons/LICENSE" vendor/icons.LICENSE.txt
cp "$scratch/axe/axe.min.js" testing/axe.min.js
cp "$scratch/axe/LICENSE" testing/axe.LICENSE.txt
cp "$scratch/axe/LICENSE-3RD-PARTY.txt" testing/axe.LICENSE-3RD-PARTY.txt

# Tabler's package names the MIT licence and its holders in the style sheet's head and holds no text of it; the
# text is that of the icons, which is the same licence by the same house.
{
  echo 'MIT License'
  echo
  grep -aoE 'Copyright 2018-[0-9]+ [^*]+' vendor/tabler.min.css | head -2
  echo
  sed -n '/^Permission is hereby granted/,$p' "$scratch/icons/LICENSE"
} >vendor/tabler.LICENSE.txt

# The icons that pages use, as symbols of one file; add a name here and run the script.
names=(
  adjustments alert-circle alert-triangle arrow-down arrow-right arrow-up ban book building-store calendar check
  chevron-down chevron-left chevron-right selector circle circle-check circle-dashed circle-x clipboard-check clock
  contract copy database device-desktop dots download eye eye-off external-link file-check file-text filter
  fingerprint hash heart-handshake help-circle history inbox info-circle key layout-dashboard license link lock
  lock-open logout mail menu-2 moon pencil player-pause player-play plus progress puzzle refresh search settings
  shield-check shield-x signature sun trash upload user-circle users x
)
{
  echo '<svg xmlns="http://www.w3.org/2000/svg">'
  for name in "${names[@]}"; do
    printf '<symbol id="%s" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">' "$name"
    # The first path of each icon is an empty frame.
    sed -E '/<svg/,/^>/d; /<\/svg>/d; /d="M0 0h24v24H0z"/d; s/^ +//; s# />#/>#' "$scratch/icons/icons/outline/$name.svg" | tr -d '\n'
    echo '</symbol>'
  done
  echo '</svg>'
} >vendor/icons.svg
