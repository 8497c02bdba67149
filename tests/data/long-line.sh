printf 'Subject: s\n\n'; head -c 3000 /dev/zero | tr '\0' x; echo
