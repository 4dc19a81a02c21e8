"""What impasto can make, one file per task: pictures, textures, reconstructions, sounds, signals, volumes."""
